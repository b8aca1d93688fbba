import { describe, expect, test } from 'bun:test'
import { WalkTurns } from '../../lib/http/walk-turns.ts'
import { until } from '../support/until.ts'

/** Of clients that stay. */
const needed = new AbortController().signal

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
  const answers = Array.from({ length: 1_004 }, () => turns.answer(make, needed))
  expect(running).toBe(4)
  const refused = await turns.answer(make, needed).catch((error: { code: string }) => error.code)
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
  for (let round = 0; round < 5; round++) await expect(turns.answer(failing, needed)).rejects.toThrow('failed')
  expect(await turns.answer(async () => 'answered', needed)).toBe('answered')
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
    }, needed),
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
  }, needed)
  let isRead = false
  void turns.chunk(() => void (isRead = true), needed)
  await expect(failing).rejects.toThrow('failed')
  await until('the next one is read', () => isRead)
})

describe('what is not needed any more', () => {
  test('is not made, and leaves its place to others at once', async () => {
    const turns = new WalkTurns()
    const gate = Promise.withResolvers<void>()
    const running = Array.from({ length: 4 }, () => turns.answer(() => gate.promise, needed))
    let made = 0
    const make = async () => void made++
    const left = new AbortController()
    const waiting = Array.from({ length: 1_000 }, () => turns.answer(make, left.signal))
    left.abort()
    const results = await Promise.allSettled(waiting)
    expect(results.every(({ status }) => status === 'rejected')).toBeTrue()
    const others = Array.from({ length: 1_000 }, () => turns.answer(make, needed))
    gate.resolve()
    await Promise.all([...running, ...others])
    expect(made).toBe(1_000)
  })

  test('is not read, and the next one is', async () => {
    const turns = new WalkTurns()
    const left = new AbortController()
    const read: string[] = []
    const chunks = [
      turns.chunk(() => void read.push('first'), needed),
      turns.chunk(() => void read.push('left'), left.signal).catch((error: Error) => error.name),
      turns.chunk(() => void read.push('last'), needed),
    ]
    left.abort()
    expect(await Promise.all(chunks)).toEqual([undefined, 'AbortError', undefined])
    expect(read).toEqual(['first', 'last'])
  })
})
