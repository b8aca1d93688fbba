/**
 * A changelog partition as several owners write it, one after the other and late: a source, owners that go through it from where they found the
 * changelog, batches of former owners that the broker has forgotten to refuse, repeated batches, amendments, compaction.
 */
import { headerOf, rawBatch, rawRecord } from '../kafka/record-batch/raw-batch.ts'
import type { Random } from '../random.ts'

export interface ModelRecord {
  key: string
  /** null: a tombstone. */
  value: string | null
  /** Source offset; undefined for a record without one. */
  src?: number
  /** In its place: the source offset that it comes after. */
  aft?: number
}

interface ModelBatch {
  offset: number
  producerId: number
  epoch: number
  isMarker: boolean
  /** undefined: compacted away. */
  records: (ModelRecord | undefined)[]
}

interface Written {
  offset: number
  records: readonly ModelRecord[]
  isOwners: boolean
  /** From another producer than the owner, and no marker has followed. */
  isPending: boolean
  /** Offset of the marker with which the owner took the partition again; -1 for what is not foreign. */
  knownAt: number
  /** Orders above do not count. */
  vouchedTo: number
}

interface Owner {
  producerId: number
  epoch: number
  /** Next source offset. */
  next: number
  lastBatch: ModelRecord[]
  hasWritten: boolean
}

const keysMax = 5
const sourceLength = 60

/** An owner that has read nothing of the source has no offset to name: its record is one without. */
export function orderOf({ src, aft = -1 }: ModelRecord): number {
  return src ?? (aft < 0 ? -1 : aft + 0.5)
}

export class OwnersModel {
  readonly log: ModelBatch[] = []
  /** By key: the highest order, of equal ones the last. What the owner writes after a foreign record that it knew wins. */
  newest = new Map<string, ModelRecord>()
  readonly #written: Written[] = []
  readonly #random: Random
  readonly #hasMarkers: boolean
  readonly #source: ModelRecord[]
  readonly #ownership: Owner[] = []
  #end = 0
  #producerIds = 0
  #direct = 0

  constructor(random: Random, hasMarkers: boolean) {
    this.#random = random
    this.#hasMarkers = hasMarkers
    this.#source = Array.from({ length: sourceLength }, (_, src) => {
      const value = random.below(4) === 0 ? null : `v${src}`
      return { key: `k${random.below(keysMax)}`, value, src }
    })
    this.take()
  }

  get end(): number {
    return this.#end
  }

  get #owner(): Owner {
    return this.#ownership.at(-1)!
  }

  step(): void {
    const steps = [this.write, this.write, this.late, this.late, this.take, this.repeat, this.amend, this.direct]
    this.#random.pick([...steps, this.compact]).call(this)
  }

  /** Another owner: with the next epoch, or with a new producer id if the broker has forgotten that. */
  take(): void {
    const last = this.#ownership.at(-1)
    const isKnown = this.#hasMarkers && last !== undefined && this.#random.below(2) === 0
    const producerId = isKnown ? last.producerId : ++this.#producerIds
    const epoch = isKnown ? last.epoch + 1 : 0
    if (this.#hasMarkers) this.#append({ producerId, epoch }, [], true)
    const next = Math.floor(this.#reached()) + 1
    this.#ownership.push({ producerId, epoch, next, lastBatch: [], hasWritten: false })
    if (!this.#hasMarkers) this.write()
  }

  write(owner = this.#owner): void {
    const until = Math.min(owner.next + 1 + this.#random.below(3), sourceLength)
    const records = this.#source.slice(owner.next, until).filter(() => this.#random.below(6) > 0)
    owner.next = until
    if (records.length > 0) this.#write(owner, records)
  }

  /** A former owner continues where it was. Without markers, an owner is known by what it has written. */
  late(): void {
    if (!this.#hasMarkers && !this.#owner.hasWritten) return
    const former = this.#ownership.slice(0, -1).filter((one) => this.#hasMarkers || one.hasWritten)
    if (former.length > 0) this.write(this.#random.pick(former))
  }

  /** The owner takes the partition again and writes its last batch again, which it does not know was written. */
  repeat(): void {
    const owner = this.#owner
    if (this.#hasMarkers) this.#append({ producerId: owner.producerId, epoch: ++owner.epoch }, [], true)
    if (owner.lastBatch.length > 0) this.#write(owner, owner.lastBatch)
  }

  /** The owner writes what it knows to be the newest of a key again. */
  amend(): void {
    const known = [...this.newest.values()].filter((one) => orderOf(one) < this.#owner.next)
    if (known.length === 0) return
    const { key, value, src } = this.#random.pick(known)
    const aft = this.#owner.next - 1
    this.#write(this.#owner, [value !== null && src !== undefined ? { key, value, src } : { key, value, aft }])
  }

  /** A record without a source offset. */
  direct(): void {
    const aft = this.#owner.next - 1
    const record = { key: `k${this.#random.below(keysMax)}`, value: `d${++this.#direct}` }
    if (aft >= 0) this.#write(this.#owner, [{ ...record, aft }])
  }

  /** Appends a batch of records, or a marker without records. */
  append(owner: { producerId: number; epoch: number }, ...records: ModelRecord[]): void {
    this.#append(owner, records, records.length === 0)
  }

  /** What the owner writes after a start: these keys are wrong in the changelog. */
  writeAgain(keys: readonly string[]): void {
    const aft = Math.floor(this.#reached())
    for (const key of keys) {
      const { value, src } = this.newest.get(key)!
      this.#write(this.#owner, [value !== null && src !== undefined ? { key, value, src } : { key, value, aft }])
    }
  }

  /** Of each key the last record stays. What is wrong by then stays wrong, so only what an owner would have amended is compacted. */
  compact(part = this.#random.next()): void {
    // Without a commit, compaction would shorten the trail.
    if (this.#written.some(({ isPending, knownAt }) => isPending || knownAt >= 0)) return
    const batches = this.log.slice(0, Math.ceil(this.log.length * part))
    const last = new Map<string, ModelRecord>()
    for (const { records } of batches) for (const record of records) if (record) last.set(record.key, record)
    const newest = this.#newestBefore(this.log[batches.length]?.offset)
    for (const [key, record] of last) {
      const { value } = newest.get(key)!
      // An older record of the same value would not say how new that is.
      if (value !== record.value || orderOf(newest.get(key)!) > orderOf(record)) return
    }
    for (const batch of batches) {
      batch.records = batch.records.map((record) => (record && last.get(record.key) === record ? record : undefined))
    }
  }

  /** Of each key that is in the log the last record. */
  fold(): Map<string, ModelRecord> {
    const last = new Map<string, ModelRecord>()
    for (const { records } of this.log) for (const record of records) if (record) last.set(record.key, record)
    return last
  }

  /** Batches from an offset on, as a broker sends them. */
  bytesFrom(offset: number): Buffer {
    return Buffer.concat(this.log.filter((one) => one.offset + span(one) > offset).map(encode))
  }

  #write(owner: Owner, records: ModelRecord[]): void {
    owner.lastBatch = records
    owner.hasWritten = true
    const isPending = this.#hasMarkers && owner.producerId !== this.#owner.producerId
    const written = { offset: this.#end, records, isOwners: owner === this.#owner, isPending }
    this.#written.push({ ...written, knownAt: -1, vouchedTo: Infinity })
    this.#append(owner, records, false)
    this.newest = this.#newestBefore()
  }

  #newestBefore(end = Infinity): Map<string, ModelRecord> {
    const found = new Map<string, ModelRecord>()
    const knownAt = new Map<string, number>()
    for (const { records, offset, isOwners, knownAt: at, vouchedTo } of this.#written.filter(
      (one) => one.offset < end,
    )) {
      for (const record of records) {
        const { key, value } = record
        const counted = orderOf(record) > vouchedTo ? { key, value } : record
        const known = knownAt.get(key) ?? -1
        const isAnswer = isOwners && known >= 0 && offset > known
        if (orderOf(counted) < orderOf(found.get(key) ?? counted) && !isAnswer) continue
        found.set(key, counted)
        knownAt.set(key, at)
      }
    }
    return found
  }

  /** What others wrote since the last marker is foreign if the same producer continues. */
  #marked(producerId: number): void {
    const isSame = this.#ownership.at(-1)?.producerId === producerId
    const now = { isPending: false, ...(isSame && { knownAt: this.#end, vouchedTo: this.#reached() }) }
    for (const batch of this.#written) if (batch.isPending) Object.assign(batch, now)
    this.newest = this.#newestBefore()
  }

  #append({ producerId, epoch }: { producerId: number; epoch: number }, records: ModelRecord[], isMarker: boolean) {
    const batch = { offset: this.#end, producerId, epoch, isMarker, records: records.map((one) => ({ ...one })) }
    if (isMarker) this.#marked(producerId)
    this.log.push(batch)
    this.#end += span(batch)
  }

  /** Highest order that counts of what the owners wrote. */
  #reached(): number {
    const counted = this.#written.filter(({ isPending }) => !isPending)
    const orders = counted.flatMap(({ records, vouchedTo }) => records.map(orderOf).filter((one) => one <= vouchedTo))
    return Math.max(-1, ...orders)
  }
}

function span({ records, isMarker }: ModelBatch): number {
  return isMarker ? 1 : records.length
}

function encode({ offset, producerId, epoch, isMarker, records }: ModelBatch): Buffer {
  const fields = { baseOffset: BigInt(offset), producerId: BigInt(producerId), producerEpoch: epoch }
  if (isMarker) {
    const record = rawRecord({ key: Buffer.alloc(4), value: Buffer.alloc(6) })
    return rawBatch({ ...fields, attributes: 0x30, records: [record] })
  }
  const encoded = records.flatMap((record, offsetDelta) => {
    if (record === undefined) return []
    const { key, value, src, aft } = record
    const headers = src !== undefined ? [['src', headerOf(src)] as const] : [['aft', headerOf(aft!)] as const]
    return rawRecord({ offsetDelta, key, value, headers })
  })
  return rawBatch({ ...fields, records: encoded, lastOffsetDelta: records.length - 1 })
}
