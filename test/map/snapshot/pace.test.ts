/** When a snapshot thread pauses, and for how long. */
import { expect, spyOn, test } from 'bun:test'
import { hurry, Pace, pieceBytes } from '../../../lib/map/snapshot/pace.ts'
import { stateBytes } from '../../../lib/map/snapshot/snapshot-job.ts'

/** A pace whose pauses are noted and not made. */
function setup() {
  const state = new SharedArrayBuffer(stateBytes)
  let processorMs = 100
  const pace = new Pace(state, () => processorMs)
  const pauses: (number | 'none')[] = []
  const write = (bytes: number, ms: number) => {
    using wait = spyOn(Atomics, 'wait')
    wait.mockReturnValue('timed-out')
    processorMs += ms
    pace.wrote(bytes)
    const [words, index, value, pauseMs] = wait.mock.calls[0] ?? []
    if (words === undefined) pauses.push('none')
    // What Atomics.wait() would do.
    else pauses.push(words[index!] === value ? pauseMs! : 0)
  }
  return { state, pauses, write }
}

test('a pause follows each piece, and is seven times the processor time of the piece before', () => {
  const { pauses, write } = setup()
  for (const ms of [1, 3, 2, 1]) write(pieceBytes, ms)
  expect(pauses).toEqual([0, 7, 21, 14])
})

test('small writes make a piece together', () => {
  const { pauses, write } = setup()
  for (let i = 0; i < 5; i++) write(pieceBytes / 2, 1)
  expect(pauses).toEqual(['none', 0, 'none', 14, 'none'])
})

test('no pause is longer than a second', () => {
  const { pauses, write } = setup()
  for (const ms of [500, 1]) write(pieceBytes, ms)
  expect(pauses).toEqual([0, 1_000])
})

test('a hurried thread makes no pauses', () => {
  const { state, pauses, write } = setup()
  for (const ms of [2, 2]) write(pieceBytes, ms)
  hurry(state)
  write(pieceBytes, 2)
  expect(pauses).toEqual([0, 14, 0])
})

test('a thread that pauses continues when it is hurried', async () => {
  const state = new SharedArrayBuffer(stateBytes)
  const worker = new Worker(new URL('../../support/map/snapshot/pacing-thread.ts', import.meta.url))
  const done = Promise.withResolvers<unknown>()
  worker.onmessage = ({ data }) => done.resolve(data)
  worker.onerror = ({ message }) => done.reject(new Error(message))
  worker.postMessage(state)
  hurry(state)
  expect(await done.promise).toBe('done')
  worker.terminate()
})
