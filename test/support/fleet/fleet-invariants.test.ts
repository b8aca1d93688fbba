import { expect, test } from 'bun:test'
import type { Commit, TopicRecord } from '../fault-run/history.ts'
import type { FleetHistory, FleetRead } from './fleet-history.ts'
import { fleetViolations } from './fleet-invariants.ts'

const second = 1_000

/**
 * Instance 0 takes the partition (marker at 0) and writes four records; instance 1 takes it at 20 s (marker at 5) and writes one more. Both
 * were asked meanwhile. Nothing is wrong with it.
 */
function sound() {
  const source: TopicRecord[] = [
    { partition: 0, offset: 0, key: 'a', value: 'a1', src: -1 },
    { partition: 0, offset: 1, key: 'b', value: 'b1', src: -1 },
    { partition: 0, offset: 2, key: 'a', value: 'a2', src: -1 },
    { partition: 0, offset: 3, key: 'b', value: null, src: -1 },
    { partition: 0, offset: 4, key: 'a', value: 'a3', src: -1 },
  ]
  const changelogOffsets = [1, 2, 3, 4, 6]
  const records = source.map((record, index) => ({ ...record, offset: changelogOffsets[index]!, src: record.offset }))
  const read = (key: string, src: number, from: number, more: Partial<FleetRead> = {}): FleetRead => {
    const sentAt = from * second
    const instance = more.instance ?? 0
    const value = source[src]?.value ?? null
    const usual = {
      sentAt,
      answeredAt: sentAt + 5,
      instance,
      asked: instance,
      maxLag: undefined,
      role: 'primary',
      lag: 0,
    }
    return { key, value, src: value === null ? -1 : src, partition: 0, ...usual, ...more } as FleetRead
  }
  return {
    source,
    changelog: {
      records,
      markers: [
        { partition: 0, offset: 0, timestamp: 0 },
        { partition: 0, offset: 5, timestamp: 20 * second },
      ],
      writings: [0, 1, 5, 6].map((offset) => ({ partition: 0, offset, producerId: 7, epoch: offset < 5 ? 1 : 2 })),
    },
    acknowledgements: [
      { partition: 0, endOffset: 3, at: second },
      { partition: 0, endOffset: 4, at: 5 * second },
      { partition: 0, endOffset: 7, at: 22 * second },
    ],
    reads: [
      read('a', 0, 2, { maxLag: 0 }),
      read('b', 1, 4, { instance: 1, role: 'replica', lag: 0 }),
      read('a', 2, 6, { maxLag: 0 }),
      read('a', 2, 21, { instance: 1, maxLag: 0 }),
      read('a', 4, 23, { instance: 1, maxLag: 0 }),
      read('b', 3, 24, { instance: 1 }),
    ],
    commits: [
      { partition: 0, offset: 2, at: 6 * second },
      { partition: 0, offset: 1, at: 7 * second, isRefused: true },
    ],
    instances: [],
    answers: new Map([
      ['a', 'a3'],
      ['b', null],
    ]),
    epochMs: 0,
    read,
  } satisfies FleetHistory & { read: unknown }
}

type Sound = ReturnType<typeof sound>

test('a sound history passes', () => {
  expect(fleetViolations(sound())).toEqual([])
})

test('a copy that says how far it is behind may show what is older', () => {
  const history = sound()
  history.reads.push(history.read('a', 2, 40, { instance: 2, role: 'replica', lag: 1 }))
  history.reads.push(history.read('a', 0, 41, { instance: 3, role: 'replica', lag: null }))
  expect(fleetViolations(history)).toEqual([])
})

test('a partition that is taken back by a marker has one claim at a time, also while the promotion takes its time', () => {
  const history = sound()
  history.changelog.markers.push({ partition: 0, offset: 7, timestamp: 30 * second })
  history.reads.push(history.read('a', 4, 30.5, { instance: 1 }), history.read('a', 4, 31))
  expect(fleetViolations(history)).toEqual([])
})

test.each<[string, string, (history: Sound) => void]>([
  ['a value of another key', 'I1 provenance', ({ reads }) => (reads[0]!.value = 'b1')],
  ['a lookup that differs in the end', 'I2 convergence', ({ answers }) => answers.set('a', 'a2')],
  ['a value before its acknowledgement', 'I3 durable', ({ reads }) => (reads[0]!.answeredAt = 10)],
  [
    'an older value with max-lag=0',
    'I4 monotone',
    ({ reads, read }) => reads.splice(4, 1, read('a', 0, 23, { instance: 1, maxLag: 0 })),
  ],
  [
    'an older value of the same instance',
    'I4 monotone',
    ({ reads, read }) => reads.push(read('a', 0, 30, { instance: 1, lag: null })),
  ],
  ['a source offset that falls', 'I6 log order', ({ changelog }) => (changelog.records[4]!.src = 1)],
  [
    'a writer that writes again after another one',
    'I7 one writer',
    ({ changelog }) => (changelog.writings[3]!.epoch = 1),
  ],
  ['a commit of what is not acknowledged', 'I8 commit truth', ({ commits }) => (commits[0]!.at = 10)],
  ['a commit that falls', 'I8 commit truth', ({ commits }) => delete (commits[1] as Commit).isRefused],
  ['a record that is not in the changelog', 'I9 completeness', ({ changelog }) => changelog.records.splice(1, 1)],
  [
    'a miss of a key with a value',
    'I13 no wrong miss',
    ({ reads, read }) => reads.push(read('a', -1, 30, { instance: 2 })),
  ],
  [
    'a lag that is not true',
    'I14 true lag',
    ({ reads, read }) => reads.push(read('a', 2, 40, { instance: 2, role: 'replica' })),
  ],
  [
    'a primary that was succeeded and claims to be current',
    'I14 true lag',
    ({ reads, read }) => reads.push(read('a', 2, 40)),
  ],
  ['two that claim a partition by turns', 'I15 one claim', ({ reads, read }) => reads.push(read('a', 4, 31))],
])('%s is found', (_, invariant, plant) => {
  const history = sound()
  plant(history)
  expect(fleetViolations(history).filter((one) => one.startsWith(invariant))).not.toEqual([])
})
