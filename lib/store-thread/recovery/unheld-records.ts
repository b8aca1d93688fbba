/**
 * Records of the changelog that are too large for a store to hold. A store writes none above `hardMaxBytes`, so another
 * program has written them. They are passed over, and nothing of the store's own is lost by that.
 */
import type { LatchkeyError } from '../../errors.ts'
import { loggerOf, RepeatedLog } from '../../log/index.ts'

/** Receives each record that is passed over. @param key undefined if it is null or too long to be held */
export type UnheldRecord = (fault: LatchkeyError, next: number, key: Buffer | undefined) => void

/** Maximum of the keys' bytes that are held, and the overhead of a string. */
const bytesMax = 16 << 20
const keyOverheadBytes = 64

const repeated = new RepeatedLog(loggerOf('store'))

export function isUnheld(fault: LatchkeyError): boolean {
  return fault.code === 'entry_too_large'
}

export function logUnheld(changelogTopic: string, partition: number, fault: LatchkeyError): void {
  const message =
    '{changelogTopic} partition {partition}: {fault}. No store has written it, and it is skipped; find and stop the program that writes to the topic'
  const properties = { changelogTopic, partition, fault: fault.message }
  repeated.log('error', `${changelogTopic} ${partition}`, message, properties)
}

/**
 * Keys of such records. They must be written again: compaction would keep only the record that is passed over.
 */
export class UnheldKeys {
  /** One character is one byte of a key (latin1). */
  readonly #keys = new Set<string>()
  #bytes = 0

  /** Keys that do not fit are not written again. */
  add(key: Buffer | undefined): void {
    if (key === undefined || this.#bytes >= bytesMax) return
    this.#keys.add(key.toString('latin1'))
    this.#bytes += key.length + keyOverheadBytes
  }

  /** Returns the keys that are not in `others`, in addition to `others`. */
  joined(others: readonly Buffer[]): Buffer[] {
    for (const key of others) this.#keys.add(key.toString('latin1'))
    return [...this.#keys].map((key) => Buffer.from(key, 'latin1'))
  }
}
