/** Snapshots in memory in place of files, and a partition whose position the test sets. */
import type { SnapshotCandidate, SnapshotFailure, SnapshotFault, SnapshotTaken } from '../../../lib/map/index.ts'
import type { SnapshotFacts } from '../../../lib/store-protocol/snapshot-facts.ts'
import type { PartitionPoint, SnapshotPartition } from '../../../lib/store-thread/snapshots/partition-point.ts'
import type { PartitionSnapshots } from '../../../lib/store-thread/snapshots/partition-snapshots.ts'

export class FakeSnapshots implements PartitionSnapshots {
  readonly taken: { partition: number; facts: SnapshotFacts }[] = []
  /** By partition, the latest first. */
  readonly held = new Map<number, unknown[]>()
  faults: SnapshotFault[] = []
  /** Answers take() where it is set. */
  failure: SnapshotFailure | undefined
  /** Answers restore(), one after the other. */
  restoreFaults: SnapshotFault[] = []
  readonly restored: unknown[] = []
  readonly discarded: unknown[] = []
  isOff = false
  isClosed = false
  /** Calls of hurry(): the number of snapshots before, and whether it is lasting. */
  readonly hurries: [number, boolean][] = []
  /** Calls of own(). */
  owned = 0
  #held: Promise<void> | undefined

  /** Lets take() wait until the returned function is called. */
  hold(): () => void {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#held = promise
    return resolve
  }

  candidates(partition: number) {
    const snapshots = (this.held.get(partition) ?? []).map((facts, index) => {
      return { manifest: { generation: 9 - index, entries: 5, facts }, bytes: 1_000 } as unknown as SnapshotCandidate
    })
    return { snapshots, faults: this.faults }
  }

  async restore({ manifest }: SnapshotCandidate): Promise<SnapshotFault | undefined> {
    const fault = this.restoreFaults.shift()
    if (fault === undefined) this.restored.push(manifest.facts)
    return fault
  }

  discard({ manifest }: SnapshotCandidate): void {
    this.discarded.push(manifest.facts)
  }

  async own(): Promise<SnapshotFailure | undefined> {
    this.owned++
    return undefined
  }

  async take(partition: number, facts: SnapshotFacts): Promise<SnapshotTaken | SnapshotFailure> {
    if (this.failure !== undefined) return this.failure
    this.taken.push({ partition, facts })
    await this.#held
    const bytes = { writtenBytes: 10, totalBytes: 100 }
    return { kind: 'taken', generation: 1, entries: 5, ...bytes, seconds: 0.002, busySeconds: 0.001 }
  }

  hurry(isLasting = false): void {
    this.hurries.push([this.taken.length, isLasting])
  }

  close(): void {
    this.isClosed = true
  }
}

export class FakePartition implements SnapshotPartition {
  position = 10
  /** Whether the map has what the changelog says. */
  isSound = true
  /** Calls of point(). */
  looks = 0

  point(): PartitionPoint | undefined {
    this.looks++
    const { position } = this
    const owners = { owner: { producerId: 7, producerEpoch: 3 }, hasMarker: true, followed: [] }
    return this.isSound ? { position, known: position, changelogStart: 0, owners, clock: undefined } : undefined
  }
}
