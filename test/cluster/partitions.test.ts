import { expect, test } from 'bun:test'
import type { LatchkeyError } from '../../lib/errors.ts'
import { partitionFor } from '../../lib/store/partitioner.ts'
import { readTopic } from '../support/fault-run/oracle.ts'
import { answer, answersWith, detailOf, Instances } from '../support/instances/instances.ts'
import { until } from '../support/until.ts'

function numbered(count: number): Record<string, string> {
  return Object.fromEntries(Array.from({ length: count }, (_, number) => [`key-${number}`, `value ${number}`]))
}

test('a store takes the partitions of PARTITIONS and leaves the others alone', async () => {
  await using instances = await Instances.create({ partitions: 4 })
  await instances.write(numbered(80))
  const store = await instances.openReady({ PARTITIONS: '0,2' })
  await instances.write({ 'key-1': 'new', 'key-2': null, 'key-3': null, 'key-4': 'new', 'key-5': 'new' })
  await instances.agrees(store, [0, 2])
  expect(store.status().partitions).toEqual({ primary: [0, 2], replicas: [] })
  expect(store.status().details.map(({ partition, role }) => `${partition} ${role}`)).toEqual([
    '0 primary',
    '2 primary',
  ])
  await store.close()

  const changelog = await instances.ends(instances.changelog)
  expect([changelog[1], changelog[3]]).toEqual([0, 0])
  const [end0, , end2] = await instances.ends(instances.source)
  expect(await instances.committed()).toEqual([end0!, -1, end2!, -1])
})

test('stores with different PARTITIONS share changelog and group', async () => {
  await using instances = await Instances.create({ partitions: 4 })
  await instances.write(numbered(40))
  const first = await instances.openReady({ PARTITIONS: '0-1' })
  const second = await instances.openReady({ PARTITIONS: '2-3' })
  await instances.write({ ...numbered(20), 'key-30': null, 'key-31': null, 'key-32': null, 'key-33': null })
  await instances.agrees(first, [0, 1])
  await instances.agrees(second, [2, 3])
  expect([first, second].map((store) => store.status().reason)).toEqual([undefined, undefined])
  await Promise.all([first.close(), second.close()])
  expect(await instances.committed()).toEqual(await instances.ends(instances.source))
})

test('a store fails and names what is missing in both settings when partitions do not exist', async () => {
  await using instances = await Instances.create({ partitions: 2 })
  const store = instances.open({ PARTITIONS: '1-3', PARTITIONS_REPLICA: '0,9' })
  const { code, message } = await store.failed
  expect(code).toBe('topics_unfit')
  expect(message).toContain(`PARTITIONS names partitions 2, 3, but ${instances.source} has the partitions 0 to 1`)
  expect(message).toContain(`PARTITIONS_REPLICA names partition 9, but ${instances.source} has the partitions 0 to 1`)
})

test('a miss names the partition by the CRC-32 when PARTITIONER is crc32', async () => {
  await using instances = await Instances.create({ partitions: 4 })
  const keys = Array.from({ length: 40 }, (_, number) => `key-${number}`)
  const partitionOf = (key: string) => partitionFor(Buffer.from(key), 4, 'crc32')!
  await instances.produce(
    instances.source,
    keys.map((key) => ({ key, value: 'here', partition: partitionOf(key) })),
  )
  const store = await instances.openReady({ PARTITIONS: '0,1', PARTITIONER: 'crc32' })
  for (const key of keys) expect(await answer(store, key)).toBe(partitionOf(key) < 2 ? 'here' : 'partition_not_held')
  const elsewhere = keys.find((key) => partitionOf(key) === 3)!
  expect(detailsOf(() => store.get(Buffer.from(elsewhere)))).toEqual({
    partition: 3,
    held: { primary: [0, 1], replicas: [] },
  })
})

test('a miss names no partition when PARTITIONER is none, and held keys are found in any partition', async () => {
  await using instances = await Instances.create({ partitions: 4 })
  const [key = '', absent = ''] = instances.keysOf(3, 2)
  await instances.produce(instances.source, [{ key, value: 'misplaced', partition: 0 }])
  const store = await instances.openReady({ PARTITIONS: '0,1', PARTITIONER: 'none' })
  expect(await answer(store, key)).toBe('misplaced')
  expect(await answer(store, absent)).toBe('key_not_found')
})

test('the earlier of two stores stops writing the partition that both have as primary, and only that one one', async () => {
  await using instances = await Instances.create()
  const [shared = '', staying = ''] = [instances.keysOf(1, 1)[0], instances.keysOf(0, 1)[0]]
  await instances.write({ [shared]: 'old', [staying]: 'old' })
  const earlier = await instances.openReady({ PARTITIONS: '0,1' })
  const later = await instances.openReady({ PARTITIONS: '1,2' })
  await instances.write({ [shared]: 'new', [staying]: 'new' })
  await answersWith(later, shared, 'new')
  await answersWith(earlier, staying, 'new')
  await until('it is fenced', () => detailOf(earlier, 1).state === 'fenced')

  await instances.write({ [shared]: 'newer', [staying]: 'newer' })
  await answersWith(later, shared, 'newer')
  await answersWith(earlier, staying, 'newer')
  expect(await answer(earlier, shared)).toBe('old')
  const { conditions, reason } = earlier.status()
  expect(conditions.filter(({ ok }) => !ok).map(({ name }) => name)).toEqual(['not_fenced'])
  expect(reason).toMatch(/another instance of store .* has taken partition 1\. .* different PARTITIONS/)
  expect(detailOf(earlier, 0).state).toBe('running')
  expect(later.status().reason).toBeUndefined()

  await Promise.all([earlier.close(), later.close()])
  const { records } = await readTopic(instances.broker.direct, instances.changelog)
  expect(records.filter(({ key }) => key === shared).map(({ value }) => value)).toEqual(['old', 'new', 'newer'])
  expect(await instances.committed()).toEqual(await instances.ends(instances.source))
})

test('a store reports in its status that another writer writes to its changelog, and to which partition', async () => {
  await using instances = await Instances.create()
  const [key = ''] = instances.keysOf(1, 1)
  const store = await instances.openReady({ PARTITIONS: '0,1', FENCING: 'false' })
  await instances.write({ [key]: 'one' })
  await answersWith(store, key, 'one')
  await instances.produce(instances.changelog, [{ key: 'foreign', value: 'x', partition: 1 }])
  await instances.write({ [key]: 'two' })
  await answersWith(store, key, 'two')
  await until('it is reported', () => store.status().reason !== undefined)
  expect(store.stats.count('foreignWrites')).toBe(1)
  expect(store.status().reason).toMatch(/-changelog partition 1: another writer has appended .* find and stop it/)
})

function detailsOf(act: () => unknown): unknown {
  try {
    act()
  } catch (error) {
    return (error as LatchkeyError).details
  }
  return undefined
}
