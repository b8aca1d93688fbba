import { expect, test } from 'bun:test'
import type { Acknowledgement, Commit, History, Loss, Read, TopicRecord, Writing } from './history.ts'
import { violations } from './invariants.ts'

/** A store that took the partition at changelog offset 0, wrote two batches and was asked meanwhile. Nothing is wrong with it. */
function sound() {
  const source: TopicRecord[] = [
    { partition: 0, offset: 0, key: 'a', value: 'a1', src: -1 },
    { partition: 0, offset: 1, key: 'b', value: 'b1', src: -1 },
    { partition: 0, offset: 2, key: 'a', value: 'a2', src: -1 },
    { partition: 0, offset: 4, key: 'b', value: null, src: -1 },
    { partition: 0, offset: 5, key: 'a', value: 'a3', src: -1 },
  ]
  const records = source.map((record, index) => ({ ...record, offset: index + 1, src: record.offset }))
  const writings: Writing[] = [0, 1, 3].map((offset) => ({ partition: 0, offset, producerId: 7, epoch: 1 }))
  const acknowledgements: Acknowledgement[] = [
    { partition: 0, endOffset: 3, at: 10 },
    { partition: 0, endOffset: 6, at: 20 },
  ]
  const reads: Read[] = [
    { key: 'a', value: null, src: -1, partition: -1, instance: 0, answeredAt: 5 },
    { key: 'a', value: 'a1', src: 0, partition: 0, instance: 0, answeredAt: 11 },
    { key: 'b', value: 'b1', src: 1, partition: 0, instance: 0, answeredAt: 12 },
    { key: 'a', value: 'a3', src: 5, partition: 0, instance: 0, answeredAt: 21 },
    { key: 'b', value: null, src: -1, partition: -1, instance: 0, answeredAt: 22 },
  ]
  const commits: Commit[] = [
    { partition: 0, offset: 2, at: 11 },
    { partition: 0, offset: 6, at: 21 },
  ]
  return {
    source,
    changelog: { records, markers: [{ partition: 0, offset: 0, timestamp: 1_000 }], writings },
    reads,
    acknowledgements,
    commits,
    instances: [{ startedAt: 0, startedAtEpochMs: 999 }],
    answers: new Map([
      ['a', 'a3'],
      ['b', null],
    ]),
  } satisfies History
}

test('a sound history passes', () => {
  expect(violations(sound())).toEqual([])
})

test('a restart that recovers what was written but never acknowledged passes', () => {
  const history = sound()
  history.acknowledgements.pop()
  history.changelog.markers.push({ partition: 0, offset: 6, timestamp: 2_000 })
  const instances = [...history.instances, { startedAt: 15, startedAtEpochMs: 1_999 }]
  for (const read of history.reads.slice(3)) read.instance = 1
  expect(violations({ ...history, instances })).toEqual([])
})

test('an answer with values of one offset passes, of each partition by itself', () => {
  const history = sound()
  history.source.push({ partition: 1, offset: 0, key: 'c', value: 'c1', src: -1 })
  history.changelog.records.push({ partition: 1, offset: 1, key: 'c', value: 'c1', src: 0 })
  history.answers.set('c', 'c1')
  const { reads } = history
  const [absent, a1, b1] = reads as [Read, Read, Read]
  const c = { ...absent, key: 'c' }
  const together = (answer: number, ...many: Read[]) => many.map((read) => ({ ...read, answer, answeredAt: 13 }))
  // Nothing yet; a1 without b1; both.
  reads.splice(0, 3, ...together(0, absent, { ...absent, key: 'b' }, c), ...together(1, a1, { ...absent, key: 'b' }, c))
  reads.splice(6, 0, ...together(2, a1, b1, c))
  expect(violations(history)).toEqual([])
})

test('an identical repeat in the changelog passes', () => {
  const history = sound()
  const { records } = history.changelog
  records.splice(2, 0, ...records.slice(0, 2))
  expect(violations({ ...history, reads: [], commits: [] })).toEqual([])
})

test('a tombstone that only the changelog has is not a violation', () => {
  const history = sound()
  history.changelog.records.push({ partition: 0, offset: 7, key: '', value: null, src: 6 })
  expect(violations(history)).toEqual([])
})

type Forged = ReturnType<typeof sound>

const forgeries: [defect: string, caught: RegExp, forge: (history: Forged) => void][] = [
  ['a commit ahead of the acknowledgement', /^I8 .*acknowledged 1\.0 ms later/, ({ commits }) => (commits[1]!.at = 19)],
  ['a commit of what was never acknowledged', /^I8 .*never acknowledged/, (history) => history.acknowledgements.pop()],
  ['a commit that falls', /^I8 .*fell from 6 to 2/, ({ commits }) => commits.push({ partition: 0, offset: 2, at: 30 })],
  ['a value visible before its acknowledgement', /^I3 .*a3/, ({ reads }) => (reads[3]!.answeredAt = 19)],
  [
    'a delete visible before its acknowledgement',
    /^I3 .*b was read as null/,
    ({ reads }) => (reads[4]!.answeredAt = 19),
  ],
  ['a value visible that is not in the changelog', /^I3 .*not in the changelog/, (h) => h.changelog.records.pop()],
  ['a batch that was skipped', /^I9 .*a=a2/, ({ changelog }) => changelog.records.splice(2, 2)],
  ['a record that was skipped at the end', /^I2 .*a is a3/, ({ changelog }) => changelog.records.pop()],
  [
    'an older record after a newer one',
    /^I6 .*the last record of a is a=a1/,
    ({ changelog }) => changelog.records.push({ ...changelog.records[0]!, offset: 7 }),
  ],
  [
    'a source offset that falls without being a repeat',
    /^I6 .*follows source offset 5/,
    ({ changelog }) => changelog.records.push({ partition: 0, offset: 7, key: 'c', value: 'c1', src: 3 }),
  ],
  ['an older value after a newer one', /^I4 .*a was read as a1/, ({ reads }) => reads.push(reads[1]!)],
  [
    'a value that was deleted before',
    /^I4 .*b was read as b1/,
    ({ reads }) => reads.push({ ...reads[2]!, instance: 0, answeredAt: 30 }),
  ],
  [
    'a key that is lost without a deletion',
    /^I4 .*a was read as null/,
    ({ reads }) => reads.push({ ...reads[0]!, answeredAt: 30 }),
  ],
  ["another key's value", /^I1 .*a was read as b1/, ({ reads }) => Object.assign(reads[1]!, { value: 'b1', src: 1 })],
  ['a value that never was', /^I1 .*a was read as a9/, ({ reads }) => (reads[1]!.value = 'a9')],
  [
    'an answer with values of two offsets',
    /^I5 .*shows a=a3 of 5, b=b1 of 1/,
    ({ reads }) => reads.push({ ...reads[3]!, answer: 3 }, { ...reads[2]!, answer: 3 }),
  ],
  ['a lookup that stays behind', /^I2 .*GET answers a2/, ({ answers }) => answers.set('a', 'a2')],
  ['a deleted key that reappears', /^I2 .*GET answers b1/, ({ answers }) => answers.set('b', 'b1')],
  [
    'a key that only the changelog has',
    /^I2 .*only the changelog has c/,
    ({ changelog }) => changelog.records.push({ partition: 0, offset: 7, key: 'c', value: 'c1', src: 6 }),
  ],
]

test.each(forgeries)('the checker catches %s', (_, caught, forge) => {
  const history = sound()
  forge(history)
  expect(violations(history).filter((violation) => caught.test(violation))).not.toEqual([])
})

test('the checker catches a writer that returns after another', () => {
  const history = sound()
  const { writings } = history.changelog
  writings.push({ partition: 0, offset: 6, producerId: 7, epoch: 2 })
  expect(violations(history)).toEqual([])
  writings.push({ partition: 0, offset: 7, producerId: 7, epoch: 1 })
  expect(violations(history)).toEqual([
    'I7 one writer: producer 7 of epoch 1 in partition 0 wrote at 7, after producer 7 of epoch 2',
  ])
})

const lostOfChangelog: Loss = { topic: 'changelog', partition: 0, at: 25, lost: [] }

test('a changelog that lost its tail passes when memory was written to it again unchanged', () => {
  const history = sound()
  const { records } = history.changelog
  // b1 and a2 are lost with the tail; their keys have later records.
  records.splice(1, 2)
  records.push({ partition: 0, offset: 7, key: 'gone', value: null, src: -1, aft: 0 })
  history.source.push({ partition: 0, offset: 6, key: 'gone', value: null, src: -1 })
  history.answers.set('gone', null)
  expect(violations({ ...history, losses: [lostOfChangelog] })).toEqual([])
  expect(violations({ ...history, losses: [{ ...lostOfChangelog, partition: 1 }] })).not.toEqual([])
})

test('a changelog that lost its tail does not excuse an older answer of the instance that saw the newer', () => {
  const history = sound()
  history.reads.push({ ...history.reads[1]!, answeredAt: 30 })
  const losses = [lostOfChangelog]
  expect(violations({ ...history, losses }).join()).toMatch(/^I4 .*a was read as a1/)
  history.reads.at(-1)!.instance = 1
  const instances = [...history.instances, { startedAt: 28, startedAtEpochMs: 2_000 }]
  expect(violations({ ...history, losses, instances })).toEqual([])
})

test('a source that lost its tail excuses what was read of it, and no more', () => {
  const history = sound()
  const lost: TopicRecord = { partition: 0, offset: 6, key: 'a', value: 'a4', src: -1 }
  history.reads.push({ key: 'a', value: 'a4', src: 6, partition: 0, instance: 0, answeredAt: 30 })
  const losses: Loss[] = [{ topic: 'source', partition: 0, at: 25, lost: [lost] }]
  expect(violations({ ...history, losses })).toEqual([])
  history.answers.set('a', 'a4')
  expect(violations({ ...history, losses }).join()).toMatch(/^I2 .*GET answers a4/)
})
