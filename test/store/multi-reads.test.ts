import { describe, expect, test } from 'bun:test'
import { LatchkeyError } from '../../lib/errors.ts'
import type { ManyLookups } from '../../lib/store-protocol/reads.ts'
import type { Lookup } from '../../lib/store-protocol/status.ts'
import { keyIn, openMapStore } from '../support/store/map-store.ts'

const noBound = 1 << 24

/** Values as text, codes of errors, undefined for keys that do not exist. */
function shown({ results }: ManyLookups): (string | undefined)[] {
  return results.map((result) => {
    if (result === undefined) return undefined
    return result instanceof LatchkeyError ? result.code : Buffer.from(result.value).toString()
  })
}

function bytes(...keys: string[]): Uint8Array[] {
  return keys.map((key) => Buffer.from(key))
}

describe.each([
  ['one store thread', [{ primaries: [0, 1, 2, 3] }]],
  ['two store threads', [{ primaries: [0, 2] }, { primaries: [1, 3] }]],
])('of %s', (_, threads) => {
  test('many keys are answered in the order asked, those that do not exist too, and each as often as asked', async () => {
    const { store, put, publish } = await openMapStore(4, threads)
    const keys = [0, 1, 2, 3].map((partition) => keyIn(store, partition))
    for (const [partition, key] of keys.entries()) put(partition, key, `value ${partition}`, partition * 10)
    await publish()
    const many = store.getMany(
      bytes(keys[2]!, 'missing', keys[0]!, keys[2]!, keys[3]!, keys[1]!),
      noBound,
    ) as ManyLookups
    expect(shown(many)).toEqual(['value 2', undefined, 'value 0', 'value 2', 'value 3', 'value 1'])
    expect(many.results[0]).toMatchObject({ partition: 2, offset: 20, timestamp: -1 })
    expect(shown(store.getMany([], noBound) as ManyLookups)).toEqual([])
    expect(store.readers.inUse).toBe(0)
  })

  test('a key is found in a partition that no partitioner leads to', async () => {
    const { store, put, publish } = await openMapStore(4, threads)
    for (let partition = 0; partition < 4; partition++) put((partition + 1) % 4, keyIn(store, partition), 'elsewhere')
    await publish()
    const keys = [0, 1, 2, 3].map((partition) => keyIn(store, partition))
    expect(shown(store.getMany(bytes(...keys), noBound) as ManyLookups)).toEqual(keys.map(() => 'elsewhere'))
  })

  test('the epoch rises with each publish, and only then', async () => {
    const { store, put, publish } = await openMapStore(4, threads)
    const epoch = () => (store.getMany([], noBound) as ManyLookups).epoch
    let before = epoch()
    expect(epoch()).toBe(before)
    for (let i = 0; i < 10; i++) {
      put(i % 4, 'key', `${i}`)
      await publish()
      expect(epoch()).toBeGreaterThan(before)
      before = epoch()
    }
    await publish()
    expect(epoch()).toBe(before)
  })

  test('values beyond the bound are left out, but not the first one, and missing keys are still recognised', async () => {
    const { store, put, publish } = await openMapStore(4, threads)
    const [a, b, c] = [keyIn(store, 0), keyIn(store, 1), keyIn(store, 2)] as const
    put(0, a, 'a'.repeat(10))
    put(1, b, 'b'.repeat(20))
    put(2, c, 'c')
    await publish()
    const ask = (keys: string[], bytesMax: number) => shown(store.getMany(bytes(...keys), bytesMax) as ManyLookups)
    expect(ask([a, b, c], 31)).toEqual(['a'.repeat(10), 'b'.repeat(20), 'c'])
    expect(ask([a, b, c], 30)).toEqual(['a'.repeat(10), 'b'.repeat(20), 'answer_full'])
    // What is small enough comes no more after what was too large: the answer is a beginning of what was asked.
    expect(ask([a, b, 'missing', c], 20)).toEqual(['a'.repeat(10), 'answer_full', undefined, 'answer_full'])
    expect(ask(['missing', b, c], 1)).toEqual([undefined, 'b'.repeat(20), 'answer_full'])
  })
})

test('a miss is explained for each key when the instance does not hold all', async () => {
  const { store, setState } = await openMapStore(4, [{ primaries: [0], replicas: [1, 2] }], {
    PARTITIONS: '0',
    PARTITIONS_REPLICA: '1,2',
    STORE_THREADS: '1',
  })
  setState(2, 'recovering')
  const keys = [0, 1, 2, 3].map((partition) => keyIn(store, partition))
  const many = store.getMany(bytes(...keys), noBound) as ManyLookups
  expect(shown(many)).toEqual([undefined, undefined, 'replica_recovering', 'partition_not_held'])
  setState(0, 'rebuilding')
  expect(shown(store.getMany(bytes(...keys), noBound) as ManyLookups)[0]).toBe('rebuilding')
})

test('lookups from a replica have its lag', async () => {
  const { store, threads, put, publish } = await openMapStore(2, [{ primaries: [0], replicas: [1] }], {
    PARTITIONS: '0',
    PARTITIONS_REPLICA: '1',
  })
  const keys = [keyIn(store, 0), keyIn(store, 1)]
  put(0, keys[0]!, 'primary')
  put(1, keys[1]!, 'replica')
  await publish()
  const { stats } = threads[0]!
  stats.setGauge(1, 'endKnownAt', Date.now())
  stats.setGauge(1, 'position', 7)
  stats.setGauge(1, 'end', 9)
  const { results } = store.getMany(bytes(...keys), noBound) as ManyLookups
  expect(results.map((result) => (result as Lookup).replicaLag)).toEqual([undefined, 2])
})

test('kept headers are separated from the values', async () => {
  const { store, put, publish } = await openMapStore(1, [{ primaries: [0] }], { KEEP_HEADERS: 'trace' })
  put(0, 'key', Buffer.from('\0\0\0\x02hhvalue'))
  await publish()
  const { results } = store.getMany(bytes('key'), noBound) as ManyLookups
  const { value, headerBlock } = results[0] as Lookup
  expect([Buffer.from(value).toString(), Buffer.from(headerBlock!).toString()]).toEqual(['value', 'hh'])
})

test('new partitions are answered with a retry until they are recovered, for one key and for many', async () => {
  const { store, put, publish, grow } = await openMapStore(2, [{ primaries: [0, 1] }])
  const known = keyIn(store, 1)
  put(1, known, 'known')
  await publish()
  const added = await grow(3, { primaries: [2] })
  const [moved, old] = [keyIn(store, 2), keyIn(store, 0)]
  put(2, moved, 'moved')
  await publish()
  const ask = () => shown(store.getMany(bytes(moved, old, known), noBound) as ManyLookups)
  const askOne = (key: string) => {
    try {
      return (store.get(Buffer.from(key)) as Lookup | undefined)?.value.length
    } catch (error) {
      return (error as LatchkeyError).code
    }
  }
  expect(ask()).toEqual(['recovering', undefined, 'known'])
  expect([askOne(moved), askOne(old), askOne(known)]).toEqual(['recovering', undefined, 5])
  added.post({ type: 'state', state: 'running' })
  expect(ask()).toEqual(['moved', undefined, 'known'])
  expect([askOne(moved), askOne(old)]).toEqual([5, undefined])
})

test('nothing is answered while the store does not run', async () => {
  const { store } = await openMapStore(1, [{ primaries: [0] }])
  await store.close()
  expect(() => store.getMany(bytes('key'), noBound)).toThrow('it is stopping')
})
