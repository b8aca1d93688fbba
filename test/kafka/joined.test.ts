import { expect, test } from 'bun:test'
import { joined } from '../../lib/kafka/joined.ts'

function asker() {
  const sent: string[] = []
  const client = { failure: undefined as Error | undefined }
  const send = (kind: string) => async (items: readonly number[]) => {
    sent.push(`${kind} ${items.join()}`)
    if (client.failure !== undefined) throw client.failure
    return items.map((item) => item * 10)
  }
  const ask = (kind: string, item: number) => joined(client, kind, item, send(kind))
  return { ask, sent, client }
}

test('what is asked in one turn is one request of its kind, and each gets its answer', async () => {
  const { ask, sent } = asker()
  const answers = [ask('a', 1), ask('b', 7), ask('a', 2), Promise.resolve().then(() => ask('a', 1))]
  expect(await Promise.all(answers)).toEqual([10, 70, 20, 10])
  expect(sent).toEqual(['a 1,2,1', 'b 7'])
})

test('what is asked after a request was sent is another request', async () => {
  const { ask, sent } = asker()
  await ask('a', 1)
  expect(await Promise.all([ask('a', 2), ask('a', 3)])).toEqual([20, 30])
  expect(sent).toEqual(['a 1', 'a 2,3'])
})

test('a failure is that of all items of the request, and of no later one', async () => {
  const { ask, client } = asker()
  client.failure = new Error('cut')
  const failed = await Promise.allSettled([ask('a', 1), ask('a', 2)])
  expect(failed.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
  client.failure = undefined
  expect(await ask('a', 3)).toBe(30)
})

test('clients share no requests', async () => {
  const [one, other] = [asker(), asker()]
  await Promise.all([one.ask('a', 1), other.ask('a', 2)])
  expect([one.sent, other.sent]).toEqual([['a 1'], ['a 2']])
})
