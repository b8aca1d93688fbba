/** Requests for many keys through a server that reads bodies itself, such as Bun's. */
import { expect, test } from 'bun:test'
import { createHandler } from '../../lib/http/handler.ts'
import { FakeStore } from '../support/http/fake-store.ts'

const request = (count: number) => {
  const keys = Array.from({ length: count }, (_, index) => `key ${index}`)
  const headers = { 'content-type': 'application/json' }
  return new Request('http://localhost/stores/orders', { method: 'POST', headers, body: JSON.stringify({ keys }) })
}

test('large ones are answered one in a turn of the loop, and others have their turn in between', async () => {
  const store = new FakeStore()
  const handler = createHandler(store)
  let turn = 0
  let isDone = false
  const tick = () => {
    turn++
    if (!isDone) setImmediate(tick)
  }
  setImmediate(tick)
  const turns: number[] = []
  store.onRead = () => void turns.push(turn)
  const answers = await Promise.all(Array.from({ length: 10 }, async () => handler(request(1_000))))
  isDone = true
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]))
  expect(new Set(turns).size).toBe(10)
})
