/** The manifest of a snapshot: what its files hold, and what has to be true of them. DESIGN.md has the format. */
import * as v from 'valibot'
import { segmentDataStart } from '../memory/entry.ts'
import { addressSpaceBytes, segmentBytesMax, segmentBytesMin, tableBitsMax, tableLoadMax } from '../memory/limits.ts'
import { faultOf, type SnapshotFault } from './faults.ts'
import { openSealedJson, sealJson } from './sealed-json.ts'

/** Of files. A program refuses a later one. */
export const formatVersion = 1
/** Of entries, slots and the accounting of segments (limits.ts: allowances). Other entries are put one by one. */
export const layoutVersion = 1
export const manifestBytesMax = 64 << 20
export const slotBytes = 8

const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0))
const sum = v.pipe(v.string(), v.length(16))

const rowSchema = v.object({
  number: count,
  slot: count,
  used: count,
  run: v.pipe(count, v.minValue(1)),
  sealed: v.boolean(),
  liveBytes: count,
  allowance: count,
  sum,
})

const manifestSchema = v.object({
  format: v.literal(formatVersion),
  layout: count,
  byteOrder: v.picklist(['little', 'big']),
  segmentBytes: v.pipe(count, v.minValue(segmentBytesMin), v.maxValue(segmentBytesMax)),
  seed: v.string(),
  partition: count,
  generation: count,
  entries: count,
  liveBytes: count,
  /** Generation in the name of the log file. */
  log: count,
  index: v.object({ bits: v.pipe(count, v.minValue(1), v.maxValue(tableBitsMax)), sum }),
  segments: v.pipe(v.array(rowSchema), v.readonly()),
  facts: v.unknown(),
})

/** A segment or run in the log file: `used` bytes at `slot` times segmentBytes. */
export type SegmentRow = Readonly<v.InferOutput<typeof rowSchema>>
export type SnapshotManifest = Readonly<v.InferOutput<typeof manifestSchema>>

export const byteOrder = new Uint8Array(Int32Array.of(1).buffer)[0] === 1 ? 'little' : 'big'

export function encodeManifest(manifest: SnapshotManifest): Uint8Array {
  return sealJson(manifest)
}

/** Returns the manifest in a file, or what is wrong with it. */
export function decodeManifest(
  content: Uint8Array,
  expected: { seed: string; partition: number },
): SnapshotManifest | SnapshotFault {
  const sealed = openSealedJson(content)
  if (sealed === undefined) return faultOf('damaged', 'its checksum is wrong')
  const version = v.safeParse(v.object({ format: count }), sealed.value)
  if (version.success && version.output.format > formatVersion) {
    const found = `its format is ${version.output.format}, and this version of Latchkey reads ${formatVersion}`
    return faultOf('newer', found)
  }
  const parsed = v.safeParse(manifestSchema, sealed.value)
  if (!parsed.success) return faultOf('damaged', `its content is invalid: ${v.summarize(parsed.issues)}`)
  const manifest = parsed.output
  const wrong = whatIsWrong(manifest, expected.partition)
  if (wrong !== undefined) return faultOf('damaged', wrong)
  if (manifest.layout > layoutVersion) {
    return faultOf('newer', `its layout is ${manifest.layout}, and this version of Latchkey reads ${layoutVersion}`)
  }
  if (manifest.byteOrder !== byteOrder) return faultOf('foreign', 'a machine with another byte order wrote it')
  if (manifest.seed !== expected.seed) return faultOf('foreign', 'it belongs to another seed file')
  return manifest
}

/** Returns the bytes of the data files that a snapshot has. */
export function dataBytesOf({ segments, index }: SnapshotManifest): number {
  return segments.reduce((bytes, { used }) => bytes + used, 0) + slotBytes * 2 ** index.bits
}

/** Returns the bytes of memory that a live partition with a snapshot has: segments, and the index tables of both sides. */
export function memoryBytesOf({ segments, segmentBytes, index }: SnapshotManifest): number {
  const log = segments.reduce((bytes, { used, run, sealed }) => bytes + (sealed ? run * segmentBytes : used), 0)
  return log + 2 * slotBytes * 2 ** index.bits
}

function whatIsWrong(
  { partition, segments, segmentBytes, index, entries }: SnapshotManifest,
  expected: number,
): string | undefined {
  if (partition !== expected) return `it is of partition ${partition}`
  if (entries > 2 ** index.bits * tableLoadMax) return `2^${index.bits} slots cannot hold ${entries} entries`
  if (new Set(segments.map(({ number }) => number)).size !== segments.length) return 'segments repeat'
  if (segments.filter(({ sealed }) => !sealed).length > 1) return 'more than one segment is open'
  const segmentsMax = addressSpaceBytes / segmentBytes
  const bad = segments.find(({ number, used, run, liveBytes, sealed }) => {
    const isOutside = number + run > segmentsMax || used > run * segmentBytes
    return isOutside || used < segmentDataStart || liveBytes > used || (run > 1 && !sealed)
  })
  return bad === undefined ? undefined : `segment ${bad.number} is impossible`
}
