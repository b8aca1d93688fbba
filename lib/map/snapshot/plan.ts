/**
 * Decides where a captured segment comes to lie in the log file. What a kept manifest names is never overwritten: bytes
 * of a segment do not change below its `used`, so an open segment grows in its slot, and everything else gets slots that
 * no kept manifest names.
 */
import type { Capture, CapturedSegment } from '../writer/snapshot-access.ts'
import type { SegmentRow } from './manifest.ts'

/** A segment that the log file has, up to `used`. */
export interface KnownSegment {
  readonly generation: number
  readonly row: SegmentRow
}

/** What to write of a segment. */
export interface PlannedSegment extends Omit<SegmentRow, 'sum'> {
  /** Absent if it has to be computed. */
  readonly sum: string | undefined
  /** The log file has the bytes below. */
  readonly from: number
  readonly buffer: SharedArrayBuffer
  readonly byteOffset: number
}

/**
 * @param known what the log file has, by segment number
 * @param kept rows of the manifests whose slots have to stay as they are
 */
export function planSegments(
  { segments }: Capture,
  known: ReadonlyMap<number, KnownSegment>,
  kept: readonly SegmentRow[],
): PlannedSegment[] {
  const isUsed: boolean[] = []
  for (const row of kept) markUsed(isUsed, row.slot, row.run)
  const planned = segments.map((segment) => plannedInPlace(segment, known.get(segment.number)))
  const slots = planned.filter((one) => one !== undefined)
  for (const { slot, run } of slots) markUsed(isUsed, slot, run)
  let from = 0
  return planned.map((one, index) => {
    if (one !== undefined) return one
    const segment = segments[index]!
    const slot = freeSlot(isUsed, from, segment.run)
    // A run passes over single slots, which are used later.
    if (segment.run === 1) from = slot + 1
    markUsed(isUsed, slot, segment.run)
    return planOf(segment, slot, 0, undefined)
  })
}

function plannedInPlace(segment: CapturedSegment, known: KnownSegment | undefined): PlannedSegment | undefined {
  if (known === undefined || known.generation !== segment.generation) return undefined
  const { slot, used, sum } = known.row
  return planOf(segment, slot, used, used === segment.used ? sum : undefined)
}

function planOf(segment: CapturedSegment, slot: number, from: number, sum: string | undefined): PlannedSegment {
  const { number, used, run, sealed, liveBytes, allowance, buffer, byteOffset } = segment
  return { number, slot, used, run, sealed, liveBytes, allowance, sum, from, buffer, byteOffset }
}

function markUsed(isUsed: boolean[], slot: number, run: number): void {
  for (let i = 0; i < run; i++) isUsed[slot + i] = true
}

/** Returns the first of `run` free slots, from a slot on. */
function freeSlot(isUsed: readonly boolean[], from: number, run: number): number {
  for (let slot = from, free = 0; ; slot++) {
    free = isUsed[slot] === true ? 0 : free + 1
    if (free === run) return slot - run + 1
  }
}
