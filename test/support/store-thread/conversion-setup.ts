/** Records of a source on their way through a definition. */
import type { Definition } from '../../../lib/definition/index.ts'
import { simpleCodecs } from '../../../lib/format/index.ts'
import { Stats } from '../../../lib/store-protocol/stats.ts'
import { BadRecords } from '../../../lib/store-thread/ingest/bad-records.ts'
import { BatchPool } from '../../../lib/store-thread/ingest/changelog-batch.ts'
import { Conversion } from '../../../lib/store-thread/ingest/conversion.ts'
import { PartitionIngest } from '../../../lib/store-thread/ingest/partition-ingest.ts'
import type { RecentBadRecords } from '../../../lib/store-thread/ingest/recent-bad-records.ts'
import { SourceDecoder } from '../../../lib/store-thread/ingest/source-decoder.ts'
import { rawBatch, type RawRecord, rawRecord } from '../kafka/record-batch/raw-batch.ts'
import { contentOf, fetched } from './stand-ins.ts'

const { raw, json } = simpleCodecs

interface Options {
  /** What memory has, by key. */
  memory?: Record<string, string>
  onBadRecord?: 'skip' | 'stop'
  maxMessageBytes?: number
  isProcessingOnly?: boolean
  recent?: RecentBadRecords
}

export function setup(definition: Partial<Definition>, options: Options = {}) {
  const stats = new Stats([0])
  const config = { sourceTopic: 'orders', onBadRecord: options.onBadRecord ?? 'skip' }
  const bad = new BadRecords(config, stats, undefined, options.recent)
  const latest = (_: number, key: Uint8Array, start: number, length: number) => {
    const found = options.memory?.[Buffer.from(key).toString('latin1', start, start + length)]
    return found === undefined ? undefined : Buffer.from(found)
  }
  const whole: Definition = { key: raw, input: json, value: json, isPlain: false, keepsBytes: false, ...definition }
  const memory = options.isProcessingOnly ? undefined : { operationsAbsorbed: 0, latest }
  const conversion = new Conversion(whole, 'orders', stats, bad, memory)
  const limits = {
    maxMessageBytes: options.maxMessageBytes ?? 1_000_000,
    timestampBeforeMaxMs: 9e18,
    timestampAfterMaxMs: 9e18,
    keepsTimestamps: true,
  }
  const pool = new BatchPool(1 << 20, 4)
  const decoder = new SourceDecoder('orders', stats, limits, pool, bad, { conversion })
  const state = new PartitionIngest(0, 0, pool, conversion.hasCallbacks)
  const take = (...records: RawRecord[]) => {
    const raws = records.map((record, offsetDelta) => rawRecord({ offsetDelta, ...record }))
    decoder.decode(fetched(rawBatch({ baseOffset: 0n, baseTimestamp: 1_700_000_000_000n, records: raws })), state)
    return state.queue.batches.flatMap(contentOf)
  }
  /** What is on its way to the changelog afterwards. */
  const written = (...records: RawRecord[]) => take(...records).map(({ key, value }) => `${key}=${value}`)
  return { stats, state, take, written }
}

export const count = (key: string, value: unknown): RawRecord => ({ key, value: JSON.stringify(value) })

/** A count of updates, as a module would keep it. */
export const counting: Partial<Definition> = {
  convert: (value) => ({ value }),
  onNew: (_, value) => ({ ...value, count: 1 }),
  onUpdate: (_, old, value) => {
    value.count = old.count + 1
  },
}
