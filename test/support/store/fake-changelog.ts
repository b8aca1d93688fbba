/** A changelog without Kafka: a store's maps can be filled from it, and followers resume in it. It can be compacted. */
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { KeysPart } from '../../../lib/store-protocol/changed-keys.ts'
import type { KeysLog } from '../../../lib/store-thread/changes/changelog-keys.ts'
import { PartBuilder } from '../../../lib/store-thread/changes/part-builder.ts'

export interface FakeRecord {
  readonly offset: number
  readonly key: string
  readonly value: string | Uint8Array | null
  readonly source: number
  readonly writtenAt: number
}

interface Log {
  records: FakeRecord[]
  start: number
  end: number
}

export class FakeChangelog implements KeysLog {
  /** Id of the topic. */
  id = 'topic'
  deleteRetentionMs = 86_400_000
  /** When records were lost from it last. A store that starts learns it from the group's commits. */
  fellAt = 0
  /** Records of a part at most: small, so that a reading has many parts. */
  partRecordsMax = 40
  /** Called before a part is read: a test may let time pass, or throw. */
  beforeRead: () => void | Promise<void> = () => {}
  parts = 0
  readonly #logs = new Map<number, Log>()
  #pending = 0

  /** Whether a request is under way. */
  get isIdle(): boolean {
    return this.#pending === 0
  }

  log(partition: number): Log {
    const log = this.#logs.get(partition) ?? { records: [], start: 0, end: 0 }
    this.#logs.set(partition, log)
    return log
  }

  /** @returns the offset */
  append(partition: number, key: string, value: string | Uint8Array | null, source: number): number {
    const log = this.log(partition)
    log.records.push({ offset: log.end, key, value, source, writtenAt: Date.now() })
    return log.end++
  }

  /** Removes what later records have replaced, and tombstones that are old enough. */
  compact(partition: number): void {
    const log = this.log(partition)
    const last = new Map(log.records.map(({ key, offset }) => [key, offset]))
    const keptFrom = Date.now() - this.deleteRetentionMs
    log.records = log.records.filter(({ key, offset, value, writtenAt }) => {
      return last.get(key) === offset && (value !== null || writtenAt > keptFrom)
    })
  }

  /** The log begins again, empty. */
  truncate(partition: number): void {
    this.fellAt = Date.now()
    Object.assign(this.log(partition), { records: [], start: 0, end: 0 })
  }

  async readPart(partition: number, from: number, to: number): Promise<KeysPart | undefined> {
    const readAt = Date.now()
    const { deleteRetentionMs } = this
    return this.#answer(() => {
      const { records, start, end } = this.log(partition)
      if (from < start || to > end) return undefined
      const wanted = records.filter(({ offset }) => offset >= from && offset < to)
      const taken = wanted.slice(0, this.partRecordsMax)
      const part = new PartBuilder()
      for (const { key, offset, source } of taken) part.add(Buffer.from(key), 0, Buffer.byteLength(key), offset, source)
      this.parts++
      const next = taken.length < wanted.length ? taken.at(-1)!.offset + 1 : to
      return { partition, from, to: next, readAt, deleteRetentionMs, records: part.build() }
    })
  }

  reaches(partition: number, offset: number): Promise<boolean> {
    return this.#answer(() => offset <= this.log(partition).end)
  }

  async #answer<T>(make: () => T): Promise<T> {
    this.#pending++
    try {
      await this.beforeRead()
      await nextTurn()
      return make()
    } finally {
      // The message with the answer comes first.
      setImmediate(() => this.#pending--)
    }
  }
}
