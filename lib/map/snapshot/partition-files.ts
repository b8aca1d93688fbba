/** What the files of one partition hold, as far as this process has read or written them. Plans the next snapshot. */
import type { Capture } from '../writer/snapshot-access.ts'
import { byteOrder, formatVersion, layoutVersion, type SegmentRow, type SnapshotManifest } from './manifest.ts'
import { type KnownSegment, planSegments } from './plan.ts'
import type { SnapshotJob } from './snapshot-job.ts'

/** Manifests that are kept: if the last one cannot be read, the one before is used. */
const manifestsMax = 2

/** What a snapshot has in common with the others of the map. */
export interface SnapshotHeader {
  readonly directory: string
  readonly partition: number
  readonly seed: string
  readonly segmentBytes: number
}

export type PlannedJob = Omit<SnapshotJob, 'kind' | 'table' | 'state'>

export class PartitionFiles {
  /** The highest generation in a name so far. */
  #generation: number
  /** Whole manifests that the map's content continues, latest first. */
  #manifests: readonly SnapshotManifest[] = []
  /** Generation of the log file to continue. */
  #log: number | undefined
  /** What that log file has of the segments of this map, by number. */
  #known: ReadonlyMap<number, KnownSegment> = new Map()

  constructor(highestGeneration: number) {
    this.#generation = highestGeneration
  }

  /** The map continues what these manifests say, latest first. A later snapshot takes a log file of its own. */
  continues(manifests: readonly SnapshotManifest[]): void {
    this.#manifests = manifests.slice(0, manifestsMax)
    this.#abandonLog()
  }

  /**
   * The map's segments are those of the latest manifest, so that its log file can be continued.
   * @param generationOf of each segment in the map, by number
   */
  continuesLog(segments: readonly SegmentRow[], generationOf: (number: number) => number): void {
    this.#log = this.#manifests[0]?.log
    this.#known = new Map(segments.map((row) => [row.number, { row, generation: generationOf(row.number) }]))
  }

  /** Plans the next snapshot. Each plan has a generation of its own. */
  plan(header: SnapshotHeader, capture: Capture, facts: unknown): PlannedJob {
    const generation = ++this.#generation
    const log = this.#log ?? generation
    const { directory, partition, seed, segmentBytes } = header
    const keep = this.#manifests.slice(0, manifestsMax - 1)
    // The one that will be removed is protected until the new one is whole.
    const named = this.#manifests.filter((manifest) => manifest.log === log).flatMap(({ segments }) => segments)
    return {
      directory,
      manifest: {
        format: formatVersion,
        layout: layoutVersion,
        byteOrder,
        segmentBytes,
        seed,
        partition,
        generation,
        entries: capture.entries,
        liveBytes: capture.segments.reduce((sum, { liveBytes }) => sum + liveBytes, 0),
        log,
        facts,
      },
      segments: planSegments(capture, this.#known, named),
      bits: capture.bits,
      keep: keep.map((manifest) => manifest.generation),
      keepLogs: keep.map((manifest) => manifest.log),
      logLength: named.reduce((length, { slot, used }) => Math.max(length, slot * segmentBytes + used), 0),
    }
  }

  /** The snapshot is whole. */
  written(manifest: SnapshotManifest, capture: Capture): void {
    const generations = new Map(capture.segments.map(({ number, generation }) => [number, generation]))
    this.continues([manifest, ...this.#manifests])
    this.continuesLog(manifest.segments, (number) => generations.get(number)!)
  }

  /** A snapshot failed. */
  failed(isLogLost: boolean): void {
    if (isLogLost) this.#abandonLog()
  }

  #abandonLog(): void {
    this.#log = undefined
    this.#known = new Map()
  }
}
