/** Requests for keys of the changelog: one reader for a partition, four at a time; faults. */
import { expect, test } from 'bun:test'
import { LatchkeyError } from '../../../lib/errors.ts'
import type { KeysPart } from '../../../lib/store-protocol/changed-keys.ts'
import type { FromThread } from '../../../lib/store-protocol/thread-messages.ts'
import { ChangelogKeys } from '../../../lib/store-thread/changes/changelog-keys.ts'

type Answer = FromThread & { type: 'keys' }

interface Reading {
  partition: number
  from: number
  to: number
  end: (part: KeysPart | undefined | Error) => void
}

function partOf(partition: number, from: number, to: number): KeysPart {
  return { partition, from, to, readAt: 1, deleteRetentionMs: 1, records: new Uint8Array(0) }
}

function start() {
  const readings: Reading[] = []
  const answers: Answer[] = []
  const failures: unknown[] = []
  const shown = { visible: 10, end: 10 }
  const looks: (() => void)[] = []
  const keys = new ChangelogKeys({
    log: {
      readPart(partition, from, to) {
        const { promise, resolve, reject } = Promise.withResolvers<KeysPart | undefined>()
        const end = (part: KeysPart | undefined | Error) => (part instanceof Error ? reject(part) : resolve(part))
        readings.push({ partition, from, to, end })
        return promise
      },
      reaches(_, offset) {
        const { promise, resolve } = Promise.withResolvers<boolean>()
        looks.push(() => resolve(offset <= shown.end))
        return promise
      },
    },
    visible: () => shown.visible,
    post: (message) => void answers.push(message as Answer),
    failed: (error) => void failures.push(error),
  })
  const ask = (partition: number, from = 0, to = 10, readerThread = 0) =>
    keys.request({ readerThread, partition, from, to })
  return { keys, readings, answers, failures, shown, looks, ask }
}

const turn = () => new Promise(setImmediate)

test('four partitions are read at a time, each by one reader, and the others in turn', async () => {
  const { readings, answers, ask } = start()
  for (let partition = 0; partition < 6; partition++) ask(partition)
  ask(0, 5, 10, 1)
  expect(readings.map(({ partition }) => partition)).toEqual([0, 1, 2, 3])
  readings[1]!.end(partOf(1, 0, 10))
  await turn()
  expect(readings.map(({ partition }) => partition)).toEqual([0, 1, 2, 3, 4])
  // A part serves every thread whose request begins in it.
  readings[0]!.end(partOf(0, 0, 6))
  await turn()
  expect(answers.map(({ partition, readerThread, from }) => [partition, readerThread, from])).toEqual([
    [1, 0, 0],
    [0, 0, 0],
    [0, 1, 5],
  ])
  expect(readings.map(({ partition }) => partition)).toEqual([0, 1, 2, 3, 4, 5])
})

test('what cannot be read is answered as lost, and the next request is read', async () => {
  const { readings, answers, failures, ask } = start()
  ask(0)
  readings[0]!.end(undefined)
  await turn()
  ask(0)
  readings[1]!.end(new LatchkeyError('record_batch_corrupt', 'Reading: it is damaged'))
  await turn()
  ask(0)
  readings[2]!.end(new LatchkeyError('stopping', 'closed'))
  await turn()
  expect(answers.map(({ found }) => found)).toEqual(['lost', 'lost'])
  expect(failures).toEqual([])
})

test('an offset that is not visible here is reached, ahead or lost, as it is when the answer is given', async () => {
  const { shown, answers, looks, ask } = start()
  ask(0, 10, 10)
  await turn()
  shown.end = 20
  ask(0, 15, 15)
  looks.shift()!()
  await turn()
  ask(0, 25, 25)
  looks.shift()!()
  await turn()
  ask(0, 18, 18)
  // It becomes visible while the end is requested: no later publish would say so.
  shown.visible = 18
  looks.shift()!()
  await turn()
  expect(answers.map(({ found }) => found)).toEqual(['reached', 'ahead', 'lost', 'reached'])
})
