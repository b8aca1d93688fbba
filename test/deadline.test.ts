import { afterEach, expect, spyOn, test } from 'bun:test'
import { deadline } from '../lib/deadline.ts'

const never = new Promise<never>(() => {})
const spies = { set: spyOn(globalThis, 'setTimeout'), clear: spyOn(globalThis, 'clearTimeout') }
afterEach(() => Object.values(spies).forEach((spy) => spy.mockClear()))

test('deadline resolves with the promise’s value, and leaves no timer', async () => {
  expect(await deadline(Promise.resolve('done'), 60_000, () => 'late')).toBe('done')
  expect(spies.clear).toHaveBeenCalledWith(spies.set.mock.results.at(-1)!.value)
})

test('deadline rejects with the promise’s error, and leaves no timer', async () => {
  const failing = deadline(Promise.reject(new Error('failed')), 60_000, () => 'late')
  await expect(failing).rejects.toThrow('failed')
  expect(spies.clear).toHaveBeenCalledWith(spies.set.mock.results.at(-1)!.value)
})

test('deadline resolves with the value of its second function when the promise takes longer', async () => {
  expect(await deadline(never, 1, () => 'late')).toBe('late')
})

test('deadline rejects with the error of its second function when the promise takes longer', async () => {
  const failing = deadline(never, 1, () => {
    throw new Error('late')
  })
  await expect(failing).rejects.toThrow('late')
})

test('deadline ignores how the promise settles after that', async () => {
  const { promise, reject } = Promise.withResolvers<string>()
  expect(await deadline(promise, 1, () => 'late')).toBe('late')
  reject(new Error('unhandled rejection of a test'))
  // An unhandled rejection would fail the test.
  await new Promise((resolve) => setImmediate(resolve))
})
