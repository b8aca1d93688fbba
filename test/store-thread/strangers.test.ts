import { expect, test } from 'bun:test'
import { Stats } from '../../lib/store-protocol/stats.ts'
import type { StoreConfig } from '../../lib/store-protocol/store-config.ts'
import { applyRecords, type RecordTrail } from '../../lib/store-thread/apply.ts'
import { strangersOf } from '../../lib/store-thread/strangers.ts'
import { partitionFor } from '../../lib/store/partitioner.ts'
import { rawBatch, rawRecord } from '../support/kafka/record-batch/raw-batch.ts'
import { createFixture } from '../support/map/map-pair.ts'
import { captureLog, opened } from '../support/store-thread/stand-ins.ts'

const partitionCount = 4

function start(partitioner: StoreConfig['partitioner']) {
  const stats = new Stats([0])
  const strangers = strangersOf({ elastic: {}, partitioner }, stats, partitionCount)!
  const { map } = createFixture()
  const noted: string[] = []
  const other: RecordTrail = {
    note: ({ data, keyStart, keyLength }) => void noted.push(data.toString('utf8', keyStart, keyStart + keyLength)),
    settle: () => void noted.push('settled'),
  }
  const apply = (...entries: [key: string, value: string | null][]) => {
    const records = entries.map(([key, value], offsetDelta) => rawRecord({ offsetDelta, key, value }))
    applyRecords(map, stats, 0, opened(rawBatch({ records })), 0, strangers.trailOf(0, other))
  }
  const keys = Array.from({ length: 40 }, (_, i) => `key ${i}`)
  const of = (isHere: boolean) =>
    keys.filter((key) => (partitionFor(Buffer.from(key), partitionCount, partitioner) === 0) === isHere)
  strangers.begins(0)
  return {
    stats,
    strangers,
    apply,
    noted,
    here: of(true),
    elsewhere: of(false),
    flag: () => stats.gauge(0, 'strangers'),
  }
}

test.each(['murmur2', 'crc32'] as const)('a copy with a key that %s puts elsewhere is known', (partitioner) => {
  const lines = captureLog()
  const { apply, noted, here, elsewhere, flag } = start(partitioner)
  const [stranger = '', next = ''] = elsewhere
  apply(...here.map((key): [string, string] => [key, 'value']), [stranger, null])
  expect([flag(), lines]).toEqual([0, []])
  apply([stranger, 'value'], [next, 'value'])
  apply([next, 'again'])
  expect(flag()).toBe(1)
  expect(lines).toEqual([
    `warning Partition 0 has keys that ${partitioner} puts elsewhere. A key that is not found is asked of all instances`,
  ])
  // What follows the same records sees all of them.
  expect(noted).toEqual([...here, stranger, 'settled', stranger, next, 'settled', next, 'settled'])
})

test('a snapshot counts as one with strangers unless it says how its keys are placed', () => {
  const { strangers, apply, here, elsewhere, flag } = start('murmur2')
  apply([here[0]!, 'value'])
  const placed = strangers.placingOf(0)
  expect(placed).toEqual({ partitioner: 'murmur2', partitionCount })
  const flagOf = (facts: Parameters<typeof strangers.restored>[1]) => {
    strangers.restored(0, facts)
    return flag()
  }
  expect(flagOf({ placed })).toBe(0)
  for (const other of [undefined, { ...placed!, partitioner: 'crc32' }, { ...placed!, partitionCount: 3 }]) {
    expect(flagOf({ placed: other })).toBe(1)
  }
  strangers.begins(0)
  apply([elsewhere[0]!, 'value'])
  expect(strangers.placingOf(0)).toBeUndefined()
})

test('what is held when the topic gets more partitions has strangers, and what comes later is placed by the new number', () => {
  const { strangers, apply, here, flag } = start('murmur2')
  strangers.grew(3)
  expect(flag()).toBe(1)
  strangers.begins(0)
  const [stays, leaves] = [true, false].map((isHere) =>
    here.find((key) => (partitionFor(Buffer.from(key), 3, 'murmur2') === 0) === isHere),
  )
  apply([stays!, 'value'])
  expect(flag()).toBe(0)
  apply([leaves!, 'value'])
  expect(flag()).toBe(1)
})
