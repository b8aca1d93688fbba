import { afterEach, expect, mock, spyOn, test } from 'bun:test'
import { signalled } from '../../lib/server/signals.ts'

const signals = ['SIGINT', 'SIGTERM'] as const
const before = signals.map((name) => process.listeners(name))
afterEach(() => {
  mock.restore()
  for (const [index, name] of signals.entries()) {
    for (const listener of process.listeners(name)) {
      if (!before[index]!.includes(listener)) process.off(name, listener)
    }
  }
})

/** Delivers a signal to this process, `ms` after the start of the test. */
function deliver(name: (typeof signals)[number], ms: number): void {
  spyOn(performance, 'now').mockReturnValue(ms)
  process.emit(name, name)
}

test.each(signals)('%s is the end, and the same one again right after it is not a second one', async (name) => {
  const exit = spyOn(process, 'exit').mockImplementation((() => {}) as never)
  const ended = signalled()
  deliver(name, 1_000)
  await ended
  deliver(name, 1_000)
  deliver(name, 1_400)
  expect(exit).not.toHaveBeenCalled()
})

test.each([
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const)('%s some time after the first signal ends the process at once', async (name, code) => {
  const exit = spyOn(process, 'exit').mockImplementation((() => {}) as never)
  const ended = signalled()
  deliver('SIGTERM', 1_000)
  await ended
  deliver(name, 1_600)
  expect(exit).toHaveBeenCalledWith(code)
})

test('SIGTERM with a delay is the end only after it, and a second signal ends the wait', async () => {
  const exit = spyOn(process, 'exit').mockImplementation((() => {}) as never)
  let delayed = 0
  const ended = signalled(3_600, () => void delayed++)
  let isEnded = false
  void ended.then(() => (isEnded = true))
  deliver('SIGTERM', 1_000)
  deliver('SIGTERM', 1_400)
  await new Promise((resolve) => setImmediate(resolve))
  expect([delayed, isEnded]).toEqual([1, false])
  deliver('SIGTERM', 1_600)
  await ended
  deliver('SIGTERM', 2_000)
  expect(exit).not.toHaveBeenCalled()
  deliver('SIGTERM', 2_200)
  expect(exit).toHaveBeenCalledWith(143)
  expect(delayed).toBe(1)
})

test('the end comes when the delay is over, and SIGINT has none', async () => {
  const exit = spyOn(process, 'exit').mockImplementation((() => {}) as never)
  const ended = signalled(0.01)
  deliver('SIGTERM', 1_000)
  await ended
  deliver('SIGINT', 2_000)
  expect(exit).toHaveBeenCalledWith(130)
  for (const name of signals) process.removeAllListeners(name)
  let delayed = 0
  const interrupted = signalled(3_600, () => void delayed++)
  deliver('SIGINT', 1_000)
  await interrupted
  expect(delayed).toBe(0)
})
