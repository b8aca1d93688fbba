import { expect, test } from 'bun:test'
import { SchemaPending } from '../../lib/format/index.ts'
import { SerialQueue } from '../../lib/library/serial-queue.ts'

test('operations run at once while none waits', () => {
  const turn = new SerialQueue()
  expect(turn.run(() => 1)).toBe(1)
  expect(() => turn.run(() => JSON.parse('{') as number)).toThrow(SyntaxError)
  expect(turn.run(() => 2)).toBe(2)
})

test('operations keep their order when one waits for a schema, also where that one fails', async () => {
  const turn = new SerialQueue()
  const order: string[] = []
  const { promise, resolve } = Promise.withResolvers<void>()
  let isReady = false
  const first = turn.run(() => {
    if (!isReady) throw new SchemaPending('the schema', promise)
    order.push('first')
    throw new RangeError('no such value')
  })
  const second = turn.run(() => order.push('second'))
  const third = turn.run(() => order.push('third'))
  expect(order).toEqual([])
  isReady = true
  resolve()
  expect(first).toBeInstanceOf(Promise)
  const failure = await Promise.resolve(first).catch((error: unknown) => error)
  expect(failure).toBeInstanceOf(RangeError)
  await Promise.all([second, third])
  expect(order).toEqual(['first', 'second', 'third'])
  // No operation waits any more.
  expect(turn.run(() => 4)).toBe(4)
})
