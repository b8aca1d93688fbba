/** Stores that start from local snapshots. */
import { rmSync } from 'node:fs'
import { snapshotRefusals } from '../../../lib/store-protocol/snapshot-refusal.ts'
import type { StoreConfig } from '../../../lib/store-protocol/store-config.ts'
import type { Store } from '../../../lib/store/store.ts'
import { temporaryFolder } from '../process/temporary-folder.ts'
import type { Fixture } from './fixture.ts'

/** An empty directory for snapshots; `using` removes it. */
export function snapshotFolder(): { path: string } & Disposable {
  const path = temporaryFolder('snapshots')
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) }
}

/** Opens a store and waits until it shows what its source and its changelog say. */
export async function converged(fixture: Fixture, settings: Partial<StoreConfig> = {}): Promise<Store> {
  const store = fixture.openLogged(settings)
  await fixture.quiet(store)
  await fixture.expectConverged(store)
  return store
}

/** Opens a store as converged() does, and closes it. */
export async function onceConverged(fixture: Fixture, settings: Partial<StoreConfig> = {}): Promise<Store> {
  const store = await converged(fixture, settings)
  await store.close()
  return store
}

/** What each partition of a store has begun with. */
export function refusalsOf({ stats }: Store): string[] {
  return stats.partitions.map((partition) => snapshotRefusals[stats.gauge(partition, 'snapshotRefusal')] ?? 'unknown')
}

export function keyed(from: number, to: number, value: (i: number) => string | null) {
  return Array.from({ length: to - from }, (_, i) => ({ key: `key-${from + i}`, value: value(from + i) }))
}
