/**
 * Settles disputed keys. Reads the changelog again and puts, for each disputed key, the record with the highest
 * source offset into the map; a tombstone counts like any other record. If that is not the key's last record in the
 * changelog, the key must be written again.
 */
import type { KafkaClient } from '../../kafka/client.ts'
import type { RecordBatchReader } from '../../kafka/record-batch/index.ts'
import { loggerOf } from '../../log/index.ts'
import { type ChiralMap, murmur2 } from '../../map/index.ts'
import type { HeaderSelector } from '../../store-protocol/kept-headers.ts'
import { putRecord } from '../apply.ts'
import { corruptChangelog } from './corrupt-changelog.ts'
import { DisputedKeys } from './disputed-keys.ts'
import { openBatches } from './log-batches.ts'
import type { OwnedRange, OwnTrail } from './own-trail.ts'
import { discardOffset, orderOf, SourceTrail } from './source-trail.ts'

const log = loggerOf('store')

export interface SettleInput {
  /** Batches and markers of the changelog. Each call reads from its start. */
  batches(): AsyncIterable<RecordBatchReader>
  /** Disputed keys of the first reading. */
  disputed: DisputedKeys
  /** What the first reading knows of the owner. */
  trail: OwnTrail
  /** Puts the record at which the batch reader is positioned into the map. */
  put(batch: RecordBatchReader, sourceOffset: number): void
  /** Maximum bytes of keys for one reading. */
  keyBytesMax?: number | undefined
}

export interface SettleContext {
  client: KafkaClient
  changelogTopic: string
  map: ChiralMap | undefined
  headerSelector?: HeaderSelector | undefined
  keyBytesMax?: number | undefined
}

/** A changelog partition that was read. */
export interface Settled {
  readonly start: number
  readonly position: number
  readonly disputed: DisputedKeys
  readonly trail: OwnTrail
}

/**
 * Settles the disputed keys of a partition after recovery, if there are any.
 * @returns keys that must be written again
 */
export async function settleDisputed(
  { client, changelogTopic, map, headerSelector, keyBytesMax }: SettleContext,
  partition: number,
  settled: Settled,
): Promise<Buffer[]> {
  const { disputed, trail, start: from, position: to } = settled
  if (disputed.keys.size === 0 || map === undefined) return []
  const batches = () => openBatches(client, changelogTopic, partition, { from, to }, { withMarkers: true })
  const put = (batch: RecordBatchReader, sourceOffset: number) =>
    putRecord(map, partition, batch, sourceOffset, headerSelector)
  let keys: Buffer[]
  try {
    keys = await settle({ batches, disputed, trail, put, keyBytesMax })
  } catch (error) {
    throw corruptChangelog(changelogTopic, partition, error)
  }
  const outdated = keys.length
  const message =
    '{changelogTopic} partition {partition}: an instance wrote to it after another had taken it; {outdated} keys are written again with their newest values'
  // Records of a tool that writes to the changelog look the same. If it replaced nothing, nothing is to be done.
  log[outdated > 0 ? 'warn' : 'info'](message, { changelogTopic, partition, outdated })
  return keys
}

/** @returns keys whose last record in the changelog is not the record in the map */
export async function settle({ batches, disputed, trail: owned, put, keyBytesMax }: SettleInput): Promise<Buffer[]> {
  const outdated = new Set<string>()
  for (let now = disputed; now.keys.size > 0;) {
    const next = new DisputedKeys(now.overflowedAt, keyBytesMax)
    const settling = new Settling(now.keys, put)
    const trail = new SourceTrail()
    for await (const batch of batches()) {
      if (batch.isControl) {
        next.control(batch)
        continue
      }
      const concerns = next.concerns(batch)
      if (now.overflowedAt < Number.POSITIVE_INFINITY) {
        if (concerns) next.note(batch, trail, owned.committed)
        batch.openRecords({ checkCrc: false })
        while (batch.nextRecord()) if (!batch.undecodable) trail.note(batch, batch.sourceOffset())
        trail.settle(batch)
        batch.openRecords({ checkCrc: false })
      }
      settling.applyBatch(batch, next.isLate ? owned.rangeOf(batch) : undefined, next.isLate)
    }
    for (const key of settling.outdated()) outdated.add(key)
    now = next
  }
  return [...outdated].map((key) => Buffer.from(key, 'latin1'))
}

interface Best {
  order: number
  /** Offset of the marker after which the owner knows the record; -1 for a record that is not foreign. */
  knownAt: number
  isTombstone: boolean
  /** Changelog offset of the best record; lastOffset is that of the last record. */
  offset: number
  lastOffset: number
}

class Settling {
  readonly #put: SettleInput['put']
  readonly #best = new Map<string, Best>()
  /** Hashes of the keys, so that no string is made for any other key. */
  readonly #hashes = new Set<number>()
  /** Whether the last record was a discard tombstone. */
  #isDiscarding = false

  constructor(keys: ReadonlySet<string>, put: SettleInput['put']) {
    this.#put = put
    for (const key of keys) {
      this.#best.set(key, { order: -1, knownAt: -1, isTombstone: true, offset: -1, lastOffset: -1 })
      this.#hashes.add(murmur2(Buffer.from(key, 'latin1'), 0, key.length))
    }
  }

  /** @param foreignIn range in which the batch is foreign */
  applyBatch(batch: RecordBatchReader, foreignIn: OwnedRange | undefined, isLate: boolean): void {
    while (batch.nextRecord()) {
      const { data, keyStart, keyLength, offset } = batch
      if (batch.undecodable || keyLength < 0) continue
      const stated = orderOf(batch)
      const isForged = foreignIn !== undefined && stated > foreignIn.vouchedTo
      const sourceOffset = isForged ? -1 : batch.sourceOffset()
      this.#discards(sourceOffset === discardOffset)
      if (!this.#hashes.has(murmur2(data, keyStart, keyLength))) continue
      const best = this.#best.get(data.toString('latin1', keyStart, keyStart + keyLength))
      if (best === undefined) continue
      const order = isForged ? -1 : stated
      best.lastOffset = offset
      // The owner has taken the partition since, and knew the foreign record.
      const isAnswer = !isLate && best.knownAt >= 0 && offset > best.knownAt
      if (order < best.order && order !== discardOffset && !isAnswer) continue
      best.knownAt = foreignIn?.to ?? -1
      best.order = Math.max(order, -1)
      best.isTombstone = batch.valueLength < 0
      best.offset = offset
      this.#put(batch, sourceOffset)
    }
  }

  /**
   * Notes whether the current record is a discard tombstone. A discard writes tombstones only for the keys that exist.
   * Keys that were deleted before get none, but the source is read again for them too, so at the first discard
   * tombstone the offsets of their own tombstones become invalid.
   */
  #discards(isDiscarding: boolean): void {
    if (isDiscarding && !this.#isDiscarding) {
      for (const best of this.#best.values()) if (best.isTombstone) best.order = -1
    }
    this.#isDiscarding = isDiscarding
  }

  *outdated(): Generator<string> {
    for (const [key, { offset, lastOffset }] of this.#best) if (offset !== lastOffset) yield key
  }
}
