import { expect, test } from 'bun:test'
import { createServer } from 'node:net'
import { requireReachable } from '../../../lib/kafka/connection/reachable.ts'
import { freePorts } from '../../support/process/ports.ts'

const missing = { host: 'no-such-host.invalid', port: 9092 }

test('requireReachable fails with advice when every address refuses or does not resolve', async () => {
  const [port = 0] = await freePorts(1)
  const refusing = { host: '127.0.0.1', port }
  await expect(requireReachable([refusing], 'KAFKA_BROKERS')).rejects.toMatchObject({
    code: 'broker_unreachable',
    message: `Connecting to 127.0.0.1:${port}: refused. Correct KAFKA_BROKERS`,
  })
  const unresolved = 'no-such-host.invalid:9092: the name does not resolve'
  await expect(requireReachable([refusing, missing], 'KAFKA_BROKERS')).rejects.toThrow(
    `Connecting to 127.0.0.1:${port}: refused, ${unresolved}. Correct KAFKA_BROKERS`,
  )
  await expect(requireReachable([missing, refusing], 'KAFKA_BROKERS')).rejects.toThrow(
    `Connecting to ${unresolved}, 127.0.0.1:${port}: refused. Correct KAFKA_BROKERS`,
  )
})

test('requireReachable resolves when one address accepts connections', async () => {
  const silent = createServer()
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
  const { port } = silent.address() as { port: number }
  const reachable = requireReachable([missing, { host: '127.0.0.1', port }], 'KAFKA_BROKERS')
  expect(await reachable.then(() => 'reachable')).toBe('reachable')
  silent.close()
})
