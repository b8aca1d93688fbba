import { expect, test } from 'bun:test'
import { WalkTurns } from '../../lib/http/walk-turns.ts'
import { until } from '../support/until.ts'

test('four answers are in progress, the others wait, and too many are refused', async () => {
  const turns = new WalkTurns()
  const gate = Promise.withResolvers<void>()
  let running = 0
  let most = 0
  const make = async () => {
    most = Math.max(most, ++running)
    await gate.promise
    running--
  }
  const answers = Array.from({ length: 1_004 }, () => turns.answer(make))
  expect(running).toBe(4)
  const refused = await turns.answer(make).catch((error: { code: string }) => error.code)
  expect(refused).toBe('walks_exhausted')
  gate.resolve()
  await Promise.all(answers)
  expect([running, most]).toEqual([0, 4])
})

test('an answer that fails makes room for the next one', async () => {
  const turns = new WalkTurns()
  const failing = async () => {
    throw new Error('failed')
  }
  for (let round = 0; round < 5; round++) await expect(turns.answer(failing)).rejects.toThrow('failed')
  expect(await turns.answer(async () => 'answered')).toBe('answered')
})

test('one chunk is read at a time, in order, and others have their turn between two', async () => {
  const turns = new WalkTurns()
  const order: number[] = []
  let isReading = false
  let immediate = 0
  let isDone = false
  const tick = () => {
    immediate++
    if (!isDone) setImmediate(tick)
  }
  setImmediate(tick)
  const ticks: number[] = []
  const chunks = Array.from({ length: 20 }, (_, index) =>
    turns.chunk(async () => {
      expect(isReading).toBeFalse()
      isReading = true
      ticks.push(immediate)
      order.push(index)
      await Promise.resolve()
      isReading = false
    }),
  )
  await Promise.all(chunks)
  isDone = true
  expect(order).toEqual(Array.from({ length: 20 }, (_, index) => index))
  for (let index = 1; index < ticks.length; index++) expect(ticks[index]!).toBeGreaterThan(ticks[index - 1]!)
})

test('a chunk that fails does not keep the next one from its turn', async () => {
  const turns = new WalkTurns()
  const failing = turns.chunk(() => {
    throw new Error('failed')
  })
  let isRead = false
  void turns.chunk(() => void (isRead = true))
  await expect(failing).rejects.toThrow('failed')
  await until('the next one is read', () => isRead)
})
