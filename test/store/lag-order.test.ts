/** What is said of a copy never counts more than what was read of it, also if it shows more meanwhile. */
import { expect, test } from 'bun:test'
import type { LatchkeyError } from '../../lib/errors.ts'
import { GroupNotice } from '../../lib/group-protocol/group-notice.ts'
import { bootTimeMs } from '../../lib/linux/boot-time.ts'
import { setPartitionState } from '../../lib/store-protocol/partition-state.ts'
import type { ManyLookups, WalkChunk } from '../../lib/store-protocol/reads.ts'
import { Stats } from '../../lib/store-protocol/stats.ts'
import type { Lookup } from '../../lib/store-protocol/status.ts'
import type { StoreConfig } from '../../lib/store-protocol/store-config.ts'
import { MultiReads } from '../../lib/store/multi-reads.ts'
import { SingleReads } from '../../lib/store/single-reads.ts'
import type { StoreThreads } from '../../lib/store/store-threads.ts'

const key = Buffer.from('key')

/** A store thread with a copy that is one record behind until a publish ends: when something was read, and no reader is inside. */
class Copy {
  readonly stats = new Stats([0])
  readonly assignment = {
    primaries: [],
    replicas: [0],
    partitionCount: 1,
    group: { complete: [true], owners: [], isElsewhere: [false] },
  }
  /** As those of StoreThreads. */
  readonly all = [this]
  readonly running = this.all
  readonly reads = { acquire: () => this, release: () => {}, pin: () => ({ get: () => this.find(), close: () => {} }) }
  /** As that of a reader. */
  readonly exchanges = 0
  readonly #publish: (stats: Stats) => void
  #shown: string | undefined
  #isInside = false

  constructor(shown: string | undefined, publish: (stats: Stats) => void) {
    this.#shown = shown
    this.#publish = publish
    setPartitionState(this.stats, 0, shown === undefined ? 'recovering' : 'running')
    for (const name of ['role', 'ready'] as const) this.stats.setGauge(0, name, 1)
    this.stats.setGauge(0, 'endKnownAt', Date.now())
    this.stats.setGauge(0, 'end', 5)
    this.stats.setGauge(0, 'position', 4)
  }

  find(): Lookup | undefined {
    const found = this.#entry()
    if (!this.#isInside) this.#published()
    return found
  }

  inOrder(): this[] {
    return this.all
  }

  ownerOf(): this {
    return this
  }

  enter(): void {
    this.#isInside = true
  }

  leave(): void {
    this.#isInside = false
    this.#published()
  }

  touch(): void {}

  readChunk() {
    return { entries: [{ ...this.#entry()!, key }], examined: 1, bytes: 1, next: undefined }
  }

  #entry(): Lookup | undefined {
    if (this.#shown === undefined) return undefined
    return { value: Buffer.from(this.#shown), partition: 0, offset: 1, timestamp: 1 }
  }

  #published(): void {
    this.#shown = 'new'
    this.stats.add('flushes', 1)
    this.#publish(this.stats)
  }
}

function open(shown: string | undefined, publish: (stats: Stats) => void) {
  const notice = GroupNotice.buffer(60_000)
  new GroupNotice(notice).answered(bootTimeMs())
  const config = { storeId: 'orders', elastic: { notice } } as unknown as StoreConfig
  const threads = new Copy(shown, publish) as unknown as StoreThreads
  return { single: new SingleReads(config, threads), multi: new MultiReads(config, threads) }
}

type Reads = ReturnType<typeof open>

const many = ({ multi }: Reads) => (multi.getMany([key], 100) as ManyLookups).results[0]
const reads: Record<string, (reads: Reads) => unknown> = {
  'a lookup': ({ single }) => single.get(key),
  'a lookup with a bound': ({ single }) => single.get(key, 0),
  'a lookup of a pinned reader': ({ single }) => single.pin(() => {}).get(key),
  'a lookup of many keys': many,
  'a walk': ({ multi }) => {
    return (multi.readChunk({ partition: 0, hash: 0 }, { limit: 1, withValues: true }) as WalkChunk).entries[0]
  },
}
const changes: Record<string, (stats: Stats) => void> = {
  'has caught up': (stats) => stats.setGauge(0, 'position', 5),
  'is a primary': (stats) => stats.setGauge(0, 'role', 0),
}

const cases = Object.keys(reads).flatMap((read) => Object.keys(changes).map((change) => [read, change] as const))

test.each(cases)('%s has the lag of what it shows where the copy %s meanwhile', async (read, change) => {
  const { value, replicaLag } = (await reads[read]!(open('old', changes[change]!))) as Lookup
  expect(['old 1', 'new 1', 'new 0', 'new undefined']).toContain(`${Buffer.from(value).toString()} ${replicaLag}`)
})

test('of many keys one is not missing that its copy shows meanwhile, when it is read to the end', () => {
  const result = many(open(undefined, (stats) => setPartitionState(stats, 0, 'running')))
  expect((result as LatchkeyError).code).toBe('replica_recovering')
})

test.each(['a lookup', 'a lookup of a pinned reader'])('%s finds what its copy shows meanwhile', async (read) => {
  const { value } = (await reads[read]!(open(undefined, (stats) => setPartitionState(stats, 0, 'running')))) as Lookup
  expect(Buffer.from(value).toString()).toBe('new')
})
