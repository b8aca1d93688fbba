/** Role changes over primaries and replicas that are the test. */
import { expect } from 'bun:test'
import { LatchkeyError } from '../../../lib/errors.ts'
import { setPartitionState } from '../../../lib/store-protocol/partition-state.ts'
import { Stats } from '../../../lib/store-protocol/stats.ts'
import type { ElasticConfig } from '../../../lib/store-protocol/store-config.ts'
import type { Primaries } from '../../../lib/store-thread/primaries.ts'
import type { Replicas } from '../../../lib/store-thread/replicas.ts'
import { RoleChanges } from '../../../lib/store-thread/role-changes.ts'
import type { StoreContext } from '../../../lib/store-thread/store-context.ts'
import type { TakingSteps } from '../../../lib/store-thread/taking.ts'
import { rebuildingMetadata } from '../../../lib/topics/completeness.ts'
import { memoryStandIn } from './stand-ins.ts'

const open: RoleChanges[] = []

export function stopRoleChanges(): void {
  for (const one of open.splice(0)) one.stop()
}

/** Resolves when what has been begun is done. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await new Promise(setImmediate)
}

export function startRoleChanges(primaries: number[], replicas: number[], elastic?: ElasticConfig) {
  const roles = { primaries, replicas, notices: [] }
  const done: string[] = []
  const pending: PromiseWithResolvers<void>[] = []
  const failures: unknown[] = []
  /** Partitions whose marker is not read with those of the others, once. */
  const late = new Set<number>()
  const cold = new Set<number>()
  /** Partitions that another instance has taken when they are, once. */
  const foreign = new Set<number>()
  const begin = (what: string) => {
    done.push(what)
    const change = Promise.withResolvers<void>()
    pending.push(change)
    return change.promise
  }
  const move = (partition: number, from: number[], to: number[]) => {
    from.splice(from.indexOf(partition), 1)
    to.push(partition)
  }
  let taken: (partition: number) => void = () => {}
  const primary = {
    events: { onTaken: (listener: (partition: number) => void) => (taken = listener) },
    parts: { ingest: { changelogEnd: () => -1 } },
    take: async (partitions: readonly number[], { refused }: TakingSteps) => {
      await begin(`take ${partitions.join(' ')}`)
      for (const partition of foreign) refused!(partition, new LatchkeyError('fenced', 'taken'))
      const read = partitions.filter((partition) => !late.delete(partition) && !foreign.delete(partition))
      for (const partition of read) move(partition, roles.replicas, roles.primaries)
    },
    release: async (partition: number) => {
      await begin(`release ${partition}`)
      move(partition, roles.primaries, roles.replicas)
    },
  } as unknown as Primaries
  const handover = {
    isWarm: (partition: number) => !cold.has(partition),
    expect: () => {},
    cancel: (partitions: readonly number[]) => void (partitions.length > 0 && done.push('cancel')),
    forget: () => {},
  }
  let filled = () => {}
  let former = () => {}
  const replica = {
    handover,
    adopt: () => Promise.resolve(),
    copyOf: () => undefined,
    onFilled: (listener: () => void) => (filled = listener),
    onFormer: (listener: () => void) => (former = listener),
    add: (partition: number, entries: number) => {
      // The note of a rebuild does not state them.
      expect(entries).toBe(noted.has(partition) ? 0 : 7)
      roles.replicas.push(partition)
      setPartitionState(stats, partition, 'recovering')
      return begin(`add ${partition}`)
    },
    drop: async (partition: number) => {
      await begin(`drop ${partition}`)
      roles.replicas.splice(roles.replicas.indexOf(partition), 1)
      stats.setGauge(partition, 'hidden', -1)
    },
  } as unknown as Replicas
  /** Bytes in memory by partition. */
  const sizes = new Map<number, number>()
  /** Partitions whose commits have the note of a rebuild. */
  const noted = new Set<number>()
  const commitOf = (partition: number) => {
    return { offset: 0, metadata: noted.has(partition) ? rebuildingMetadata : 'latchkey/1 entries=7 bytes=1000' }
  }
  const all = [0, 1, 2, 3, 4, 5]
  const source = { retryForever: async () => new Map(all.map((partition) => [partition, commitOf(partition)])) }
  const clients = { changelog: { signal: new AbortController().signal }, source }
  const failed = (error: unknown) => failures.push(error)
  const stats = new Stats(all)
  for (const partition of stats.layout) setPartitionState(stats, partition, 'running')
  const { memory, hold: holdMemory, room } = memoryStandIn()
  const context = {
    config: { elastic },
    roles,
    clients,
    failed,
    stats,
    map: { stats: (partition: number) => ({ totalBytes: sizes.get(partition) ?? 0, indexBytes: 0 }) },
    memory,
    post: () => {},
  } as unknown as StoreContext
  const changes = new RoleChanges(context, primary, replica)
  const next = async (error?: Error) => {
    const change = pending.shift()!
    if (error === undefined) change.resolve()
    else change.reject(error)
    await settled()
  }
  const fill = (partition: number) => {
    setPartitionState(stats, partition, 'running')
    filled()
  }
  /** A copy reads that its primary deletes what it has. */
  const readDiscard = (partition: number) => {
    stats.setGauge(partition, 'hidden', 1)
    former()
  }
  open.push(changes)
  const take = (partition: number) => taken(partition)
  const acts = { next, fill, holdMemory, take, readDiscard }
  return { changes, done, failures, roles, late, cold, foreign, noted, stats, room, sizes, ...acts }
}
