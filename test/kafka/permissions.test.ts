/** Which refusals say that the user lacks a permission on a group or transactional id, and which are faults. */
import { expect, test } from 'bun:test'
import type { KafkaClient } from '../../lib/kafka/client.ts'
import { groupOperations, transactionPermissions } from '../../lib/kafka/permissions.ts'
import { brokerError } from '../../lib/kafka/protocol/error-codes.ts'

const codes = Array.from({ length: 130 }, (_, index) => index - 1)

/** A client whose search for a coordinator is refused. */
function refusedWith(code: number): KafkaClient {
  return { coordinator: () => Promise.reject(brokerError('Finding the coordinator', code)) } as unknown as KafkaClient
}

async function codesThat(resolve: (client: KafkaClient) => Promise<unknown>): Promise<number[]> {
  const answers = codes.map((code) =>
    resolve(refusedWith(code)).then(
      () => [code],
      () => [],
    ),
  )
  return (await Promise.all(answers)).flat()
}

test('a group is hidden from a user when the broker refuses the user the group, and for no other error', async () => {
  expect(await codesThat((client) => groupOperations(client, 'group'))).toEqual([30])
  expect(await groupOperations(refusedWith(30), 'group')).toMatchObject({ isHidden: true })
})

test('a user lacks the permission on a transactional id when the broker refuses that id, and for no other error', async () => {
  expect(await codesThat((client) => transactionPermissions(client, 'id', 'topic'))).toEqual([53])
  expect(await transactionPermissions(refusedWith(53), 'id', 'topic')).toEqual({ id: false, topic: undefined })
})
