/** Walks and counts of a store; what a chunk holds: test/map/reader/chunk.test.ts. */
import { describe, expect, test } from 'bun:test'
import type { WalkChunk } from '../../lib/store-protocol/reads.ts'
import type { Store } from '../../lib/store/store.ts'
import { keyIn, openMapStore } from '../support/store/map-store.ts'

function walk(store: Store, partition: number, limit = 10): WalkChunk[] {
  const chunks: WalkChunk[] = []
  let hash: number | undefined = 0
  while (hash !== undefined) {
    const chunk = store.readChunk({ partition, hash }, { limit, withValues: true }) as WalkChunk
    chunks.push(chunk)
    hash = chunk.next?.hash
  }
  return chunks
}

function codeOf(read: () => unknown): string | undefined {
  try {
    read()
    return undefined
  } catch (error) {
    return (error as { code: string }).code
  }
}

describe.each([
  ['one store thread', [{ primaries: [0, 1, 2, 3] }]],
  ['two store threads', [{ primaries: [0, 2] }, { primaries: [1, 3] }]],
])('of %s', (_, threads) => {
  test('a walk of all partitions has all entries, and a count has their number', async () => {
    const { store, put, publish } = await openMapStore(4, threads)
    for (let i = 0; i < 400; i++) put(i % 4, `key ${i}`, `value ${i}`, i)
    await publish()
    expect(store.heldPartitions).toEqual([0, 1, 2, 3])
    const chunks = store.heldPartitions.flatMap((partition) => walk(store, partition))
    const entries = chunks.flatMap((chunk) => chunk.entries)
    expect(entries.length).toBe(400)
    for (const { key, value, partition, offset } of entries) {
      expect(Buffer.from(key).toString()).toBe(`key ${offset}`)
      expect(Buffer.from(value).toString()).toBe(`value ${offset}`)
      expect(partition).toBe(offset % 4)
    }
    const { epoch } = chunks[0]!
    expect(chunks.every((chunk) => chunk.epoch === epoch)).toBe(true)
    expect(store.count()).toEqual({ epoch, count: 400 })
    expect(store.count([1, 2])).toEqual({ epoch, count: 200, counts: [100, 100] })
    expect(store.readers.inUse).toBe(0)
  })
})

test('a partition is not walked or counted while not all its entries are here', async () => {
  const { store, setState } = await openMapStore(4, [{ primaries: [0], replicas: [1] }], {
    PARTITIONS: '0',
    PARTITIONS_REPLICA: '1',
  })
  const codes = () => [0, 1, 2].map((partition) => codeOf(() => walk(store, partition)))
  expect(store.heldPartitions).toEqual([0, 1])
  expect(codes()).toEqual([undefined, undefined, 'partition_not_held'])
  expect(codeOf(() => store.count())).toBeUndefined()
  setState(1, 'recovering')
  expect(codes()).toEqual([undefined, 'replica_recovering', 'partition_not_held'])
  expect(codeOf(() => store.count())).toBe('replica_recovering')
  expect(codeOf(() => store.count([0]))).toBeUndefined()
  expect(codeOf(() => store.count([2]))).toBe('partition_not_held')
  setState(0, 'rebuilding')
  expect(codes()[0]).toBe('rebuilding')
})

test('a new partition of the topic is walked and counted once it is recovered', async () => {
  const { store, put, publish, grow } = await openMapStore(2, [{ primaries: [0, 1] }])
  const added = await grow(3, { primaries: [2] })
  put(2, keyIn(store, 2), 'value')
  await publish()
  expect(store.heldPartitions).toEqual([0, 1, 2])
  expect([0, 2].map((partition) => codeOf(() => walk(store, partition)))).toEqual([undefined, 'recovering'])
  expect(codeOf(() => store.count())).toBe('recovering')
  added.post({ type: 'state', state: 'running' })
  expect(walk(store, 2).flatMap(({ entries }) => entries).length).toBe(1)
  expect(store.count()).toMatchObject({ count: 1 })
})

test('kept headers are separated from the values of a walk', async () => {
  const { store, put, publish } = await openMapStore(1, [{ primaries: [0] }], { KEEP_HEADERS: 'trace' })
  put(0, 'key', Buffer.from('\0\0\0\x02hhvalue'))
  await publish()
  const [{ value, headerBlock }] = walk(store, 0)[0]!.entries as [WalkChunk['entries'][number]]
  expect([Buffer.from(value).toString(), Buffer.from(headerBlock!).toString()]).toEqual(['value', 'hh'])
  const { entries } = store.readChunk({ partition: 0, hash: 0 }, { limit: 1, withValues: false }) as WalkChunk
  expect([entries[0]!.value.length, entries[0]!.headerBlock]).toEqual([0, undefined])
})

test('the mark of a store differs from that of another one, and stays', async () => {
  const [one, other] = [await openMapStore(1, [{ primaries: [0] }]), await openMapStore(1, [{ primaries: [0] }])]
  const mark = one.store.walkMark
  expect(mark).toMatch(/^[0-9a-f]{16}$/)
  expect(other.store.walkMark).not.toBe(mark)
  await one.grow(2, { primaries: [1] })
  expect(one.store.walkMark).toBe(mark)
})

test('nothing is walked or counted while the store does not run', async () => {
  const { store } = await openMapStore(1, [{ primaries: [0] }])
  await store.close()
  const reads = [() => store.heldPartitions, () => store.walkMark, () => store.count(), () => walk(store, 0)]
  expect(reads.map((read) => codeOf(read))).toEqual(reads.map(() => 'stopping'))
})
