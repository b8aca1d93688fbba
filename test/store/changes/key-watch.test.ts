import { expect, test } from 'bun:test'
import type { LatchkeyError } from '../../../lib/errors.ts'
import type { KeyWatching, WantsKey } from '../../../lib/store-protocol/following.ts'
import { Random } from '../../support/random.ts'
import { type MapStore, openMapStore } from '../../support/store/map-store.ts'

const all: WantsKey = () => true
const threads = [{ primaries: [0, 2] }, { primaries: [1, 3] }]

async function opened(): Promise<MapStore & AsyncDisposable> {
  const maps = await openMapStore(4, threads)
  return { ...maps, [Symbol.asyncDispose]: () => maps.store.close() }
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('latin1')
}

test('a watch names each key that a publish has changed, or says that it missed some', async () => {
  await using maps = await opened()
  const random = Random.of('key watch')
  let isReady = false
  const watch = await maps.store.changes.watchKeys(() => (isReady = true))
  const due = new Map<string, boolean>()
  const counts = { named: 0, missed: 0, moved: 0 }
  let offset = 0
  for (let round = 0; round < 400; round++) {
    const partition = random.below(4)
    for (let count = random.below(random.below(20) === 0 ? 4_000 : 10); count > 0; count--) {
      const key = `${random.pick(['wanted', 'other'])} ${random.below(60) * 4 + partition}`
      const isDeletion = random.below(3) === 0
      maps.put(partition, key, isDeletion ? null : 'value', offset++)
      if (key.startsWith('wanted')) due.set(key, isDeletion)
    }
    await maps.publish()
    // Now and then it takes nothing for some time: the ring passes it.
    if (random.below(10) > 0) continue
    const seed = `LATCHKEY_SEED=${random.seed} in round ${round}`
    expect(isReady || due.size === 0, seed).toBe(true)
    isReady = false
    const max = 1 + random.below(20)
    for (;;) {
      const taken = watch.take(max, (data, start) => data[start] === 0x77)
      if (taken === undefined) break
      if (typeof taken === 'string') {
        counts[taken]++
        if (taken === 'missed') due.clear()
        continue
      }
      expect(taken.length, seed).toBeLessThanOrEqual(max)
      counts.named += taken.length
      for (const { key, isDeletion } of taken) {
        // Portions end where there is no room: a key may be named again, and its last name is right.
        if (due.get(textOf(key)) === isDeletion) due.delete(textOf(key))
      }
    }
    expect([...due], seed).toEqual([])
  }
  expect(counts.named).toBeGreaterThan(100)
  expect(counts.missed).toBeGreaterThan(0)
  watch.close()
  expect(maps.store.changes.following).toBe(0)
})

test('a watch begins with the changes after its beginning', async () => {
  await using maps = await opened()
  maps.put(0, 'before', 'value')
  await maps.publish()
  const watch = await maps.store.changes.watchKeys(() => {})
  maps.put(0, 'after', 'value')
  await maps.publish()
  expect(watch.take(10, all)).toEqual([expect.objectContaining({ key: new Uint8Array(Buffer.from('after')) })])
  expect(watch.take(10, all)).toBeUndefined()
})

test('a watch says that a partition has changed its state, and that it was filled again', async () => {
  await using maps = await opened()
  let woken = 0
  const watch = await maps.store.changes.watchKeys(() => woken++)
  maps.setState(2, 'fenced')
  maps.threads[0]!.post({ type: 'published', readerThreads: [0] })
  expect(watch.take(10, all)).toBe('moved')
  expect(watch.take(10, all)).toBeUndefined()
  maps.setState(1, 'recovering')
  maps.threads[1]!.post({ type: 'published', readerThreads: [0] })
  expect(watch.take(10, all)).toBe('missed')
  maps.setState(1, 'running')
  maps.threads[1]!.post({ type: 'published', readerThreads: [0] })
  expect(watch.take(10, all)).toBe('missed')
  expect(watch.take(10, all)).toBeUndefined()
  expect(woken).toBeGreaterThan(2)
})

test('a watch of a store that recovers begins when the store serves', async () => {
  await using maps = await opened()
  const { changes } = maps.store
  for (const { post } of maps.threads) post({ type: 'state', state: 'recovering' })
  expect(changes.isRecovering).toBe(true)
  let watch: KeyWatching | undefined
  const opening = changes.watchKeys(() => {}).then((begun) => (watch = begun))
  maps.threads[0]!.post({ type: 'state', state: 'running' })
  await Bun.sleep(0)
  expect(watch).toBeUndefined()
  maps.threads[1]!.post({ type: 'state', state: 'running' })
  await opening
  expect(changes.isRecovering).toBe(false)
  maps.put(1, 'after', 'value')
  await maps.publish()
  expect(watch!.take(10, all)).toHaveLength(1)
})

test('a watch of a store that recovers is refused when the store fails', async () => {
  await using maps = await opened()
  const { changes } = maps.store
  maps.threads[0]!.post({ type: 'state', state: 'recovering' })
  const refused = changes.watchKeys(() => {}).catch((error: LatchkeyError) => error.code)
  maps.threads[0]!.post({ type: 'failed', error: { code: 'internal', message: 'a test' } })
  expect(await refused).toBe('store_failed')
  expect(changes.isRecovering).toBe(false)
})
