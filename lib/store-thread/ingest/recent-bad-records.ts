/**
 * The last bad records, for the status. All records of a topic may be bad, so they are reported a few times a second at
 * most.
 */
import { badRecordsKept, type SkippedRecord } from '../../store-protocol/skipped.ts'
import type { FromThread } from '../../store-protocol/thread-messages.ts'

const intervalMs = 250
const faultCharactersMax = 300

export class RecentBadRecords {
  readonly #post: (message: FromThread) => void
  /** The latest first. */
  readonly #last: SkippedRecord[] = []
  #isReportDue = false

  constructor(post: (message: FromThread) => void) {
    this.#post = post
  }

  add(record: Omit<SkippedRecord, 'at'>): void {
    this.#last.unshift({ at: Date.now(), ...record, fault: record.fault.slice(0, faultCharactersMax) })
    if (this.#last.length > badRecordsKept) this.#last.pop()
    if (this.#isReportDue) return
    this.#isReportDue = true
    setTimeout(() => this.#report(), intervalMs).unref()
  }

  #report(): void {
    this.#isReportDue = false
    this.#post({ type: 'bad-records', records: [...this.#last] })
  }
}
