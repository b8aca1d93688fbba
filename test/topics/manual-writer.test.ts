import { expect, test } from 'bun:test'
import { Encoder } from '../../lib/kafka/connection/raw-request.ts'
import type { StoreConfig } from '../../lib/store-protocol/store-config.ts'
import type { Clients } from '../../lib/topics/clients.ts'
import { refuseBesideGroup } from '../../lib/topics/manual-writer.ts'

/** An answer to DescribeGroups v3. */
function described(protocol: string, hosts: readonly string[]): Buffer {
  const encoder = new Encoder(256).writeInt32(0).writeInt32(1).writeInt16(0).writeString('orders')
  encoder.writeString('Stable').writeString('consumer').writeString(protocol).writeInt32(hosts.length)
  for (const host of hosts) {
    encoder.writeString('member').writeString('client').writeString(`/${host}`).writeInt32(0).writeInt32(0)
  }
  return Buffer.from(encoder.writeInt32(0).buffer)
}

/** @param answers in order; the last one is repeated */
function clientsOf(...answers: Buffer[]) {
  const asked = { times: 0 }
  const consumer = {
    requestTimeoutMs: 1_000,
    coordinator: async () => 1,
    send: async () => answers[Math.min(asked.times++, answers.length - 1)],
    retryForever: <T>(operation: () => Promise<T>) => operation(),
    signal: new AbortController().signal,
  }
  return { clients: { consumer } as unknown as Clients, asked }
}

const config = { storeId: 'orders', useReplicaOnly: false, useProcessingOnly: false } as StoreConfig

test('a writer beside a group of instances is refused, with the number and the place of its members', async () => {
  const { clients } = clientsOf(described('latchkey-1', ['10.0.0.1', '10.0.0.2', '10.0.0.1']))
  await expect(refuseBesideGroup(clients, config)).rejects.toMatchObject({
    code: 'invalid_settings',
    message: expect.stringMatching(
      /^Starting store orders .* 3 members of group orders at 10\.0\.0\.1, 10\.0\.0\.2\. Set ELASTIC=true here/,
    ),
  })
})

test('a group that rebalances is asked again until it says its protocol', async () => {
  const { clients, asked } = clientsOf(described('', ['10.0.0.1']), described('latchkey-2', ['10.0.0.1']))
  await expect(refuseBesideGroup(clients, config)).rejects.toThrow('1 member of group orders')
  expect(asked.times).toBe(2)
  const ending = clientsOf(described('', ['10.0.0.1']), described('', []))
  await refuseBesideGroup(ending.clients, config)
  expect(ending.asked.times).toBe(2)
})

test('a group without members, or one of other consumers, hinders no writer', async () => {
  await refuseBesideGroup(clientsOf(described('', [])).clients, config)
  await refuseBesideGroup(clientsOf(described('range', ['10.0.0.1'])).clients, config)
})

test('members and replicas do not ask', async () => {
  const { clients, asked } = clientsOf(described('latchkey-1', ['10.0.0.1']))
  await refuseBesideGroup(clients, { ...config, useReplicaOnly: true })
  await refuseBesideGroup(clients, { ...config, elastic: {} })
  expect(asked.times).toBe(0)
})
