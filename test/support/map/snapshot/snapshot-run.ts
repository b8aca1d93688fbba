/**
 * A map whose snapshots are taken on a simulated disk, beside the operations that were put: they are the changelog. After
 * a restart a snapshot and the operations from its position on have to make what all operations make.
 */
import {
  type ChiralMap,
  type ChiralMapOptions,
  type MemoryKeeper,
  openSnapshotDirectory,
  restoreSnapshot,
  type SnapshotDirectory,
  type SnapshotFailure,
  type SnapshotFault,
  type SnapshotTaken,
  SnapshotWriter,
} from '../../../../lib/map/index.ts'
import { entryBytes } from '../../../../lib/map/memory/entry.ts'
import type { Disk } from '../../../../lib/map/snapshot/disk.ts'
import type { FromSnapshotThread, ThreadJob } from '../../../../lib/map/snapshot/snapshot-job.ts'
import type { SnapshotPort, SnapshotPortEvents } from '../../../../lib/map/snapshot/start-snapshot-thread.ts'
import { writeSnapshot } from '../../../../lib/map/snapshot/write-snapshot.ts'
import type { Random } from '../../random.ts'
import { createFixture, type Fixture, putEntry, smallSegmentBytes } from '../map-pair.ts'

export interface Operation {
  readonly key: string
  readonly value: string | null
}

export const path = '/snapshots/store'

/** Runs jobs in this thread, between two events. */
export function portOf(disk: Disk, write: typeof writeSnapshot = writeSnapshot) {
  return ({ received }: SnapshotPortEvents): SnapshotPort => ({
    post: (job: ThreadJob) => {
      const messages: FromSnapshotThread[] = []
      const cloned = structuredClone(job)
      setImmediate(() => {
        if (cloned.kind === 'write') write(cloned, disk, (message) => messages.push(structuredClone(message)))
        for (const message of messages) received(message)
      })
    },
    terminate: () => {},
  })
}

export function directoryOn(disk: Disk, at = path, keeper?: MemoryKeeper): SnapshotDirectory {
  const opened = openSnapshotDirectory(at, disk, keeper)
  if ('fault' in opened) throw new Error(opened.fault.message)
  return opened.directory
}

export interface RunOptions extends Partial<ChiralMapOptions> {
  readonly keys?: number
  /** Default: 0. */
  readonly partition?: number
  readonly write?: typeof writeSnapshot
  /** Of the snapshots, if they are on the disk of the machine and a thread writes them. */
  readonly folder?: string
  /** Of memory that shows files; without one everything is read. */
  readonly keeper?: MemoryKeeper
  /** Breaks the map before it is used. */
  readonly plant?: (map: ChiralMap) => void
}

export class SnapshotRun {
  readonly directory: SnapshotDirectory
  readonly fixture: Fixture
  readonly writer: SnapshotWriter
  readonly operations: Operation[]
  readonly partition: number
  readonly #keys: number
  readonly #random: Random

  constructor(disk: Disk, random: Random, options: RunOptions = {}, operations: Operation[] = []) {
    const { keys = 200, partition = 0, write, folder, keeper, plant, ...map } = options
    this.directory = directoryOn(disk, folder, keeper)
    this.fixture = createFixture({ seed: this.directory.seed, ...map })
    plant?.(this.fixture.map)
    const start = folder === undefined ? { start: portOf(disk, write) } : {}
    this.writer = new SnapshotWriter(this.fixture.map, this.directory, start)
    this.operations = operations
    this.#keys = keys
    this.partition = partition
    this.#random = random
  }

  /** Puts random operations: overwrites, deletes, values of all sizes. */
  put(count: number): void {
    for (let i = 0; i < count; i++) {
      const key = `key ${this.#random.below(this.#keys)}`
      const value = this.#random.below(5) === 0 ? null : this.#value()
      this.operations.push({ key, value })
      this.#apply(this.operations.length - 1)
    }
  }

  publish(): Promise<number> {
    return this.fixture.map.publish()
  }

  /** Takes a snapshot, with operations that wait meanwhile. */
  async take(): Promise<SnapshotTaken | SnapshotFailure> {
    const facts = { position: this.operations.length }
    await this.publish()
    this.put(this.#random.below(30))
    return this.writer.take(this.partition, facts)
  }

  /** Restores the latest snapshot that can be used. */
  async restore(): Promise<{ generation: number; position: number; faults: SnapshotFault[] }> {
    const { snapshots, faults } = this.directory.candidates(this.partition)
    const found = [...faults]
    for (const candidate of snapshots) {
      const fault = await restoreSnapshot(this.fixture.map, candidate)
      if (fault === undefined) {
        const { generation, facts } = candidate.manifest
        return { generation, position: (facts as { position: number }).position, faults: found }
      }
      found.push(fault)
    }
    return { generation: 0, position: 0, faults: found }
  }

  /** Puts the operations from a position on, as a recovery does, and makes them readable. */
  async replay(position: number): Promise<void> {
    for (let number = position; number < this.operations.length; number++) this.#apply(number)
    await this.fixture.openAll()
  }

  /**
   * Returns what a restored snapshot has that was not so at its position or later. To be called before replay, which may not
   * end where memory is wrong.
   */
  impossible(position: number): string[] {
    const possible = new Map<string, (string | null)[]>()
    for (const [number, { key, value }] of this.operations.entries()) {
      const before = number < position ? undefined : (possible.get(key) ?? [null])
      possible.set(key, [...(before ?? []), value])
    }
    return [...possible].flatMap(([key, values]) => {
      const found = this.fixture.map.latest(this.partition, Buffer.from(key))
      const value = found === undefined ? null : Buffer.from(found.value).toString()
      return values.includes(value) ? [] : [`${key}: restored ${describe(value)}`]
    })
  }

  /** Returns what is different from what all operations make. */
  differences(): string[] {
    const latest = new Map(this.operations.map(({ key, value }) => [key, value]))
    const wrong: string[] = []
    for (const [key, value] of latest) {
      const found = this.fixture.text(key) ?? null
      if (found !== value) wrong.push(`${key}: ${describe(found)} instead of ${describe(value)}`)
    }
    const entries = [...latest.values()].filter((value) => value !== null).length
    const stats = this.fixture.map.stats(this.partition)
    if (stats.entries !== entries) wrong.push(`${stats.entries} entries instead of ${entries}`)
    const liveBytes = [...latest].reduce(
      (sum, [key, value]) => sum + (value === null ? 0 : entryBytes(key.length, value.length)),
      0,
    )
    if (stats.liveBytes !== liveBytes) wrong.push(`${stats.liveBytes} live bytes instead of ${liveBytes}`)
    return wrong
  }

  #apply(number: number): void {
    const { key, value } = this.operations[number]!
    putEntry(this.fixture.map, this.partition, key, value, number)
  }

  #value(): string {
    const kind = this.#random.below(100)
    const length = kind < 80 ? 60 : kind < 98 ? 900 : 3 * smallSegmentBytes
    return `${this.operations.length} `.padEnd(this.#random.below(length), 'x')
  }
}

function describe(value: string | null): string {
  return value === null ? 'nothing' : `${value.slice(0, 12)} (${value.length})`
}
