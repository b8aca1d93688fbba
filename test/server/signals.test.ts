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
