/**
 * Answers a request for many keys: all of one epoch. Rendering is synchronous. If a schema is missing, everything that
 * was found is dropped and read again when the schema is there: requests that wait for a registry hold their keys only.
 */
import { type ErrorCode, isInstance, LatchkeyError } from '../errors.ts'
import { type LookupStats, outcomeOfCode } from '../metrics/index.ts'
import type { ManyLookups } from '../store-protocol/reads.ts'
import type { Lookup } from '../store-protocol/status.ts'
import type { Answer } from './answer.ts'
import type { CaughtUp } from './caught-up.ts'
import { writeBytes, writeOrigin, writeText, writeValue } from './entry-json.ts'
import { epochHeader } from './epochs.ts'
import { type JsonBuffer, written } from './json-buffer.ts'
import type { AskedKey } from './key-list.ts'
import { listAnswer, type ListForm } from './list-answer.ts'
import { logProblem } from './problem.ts'
import { isMissStale, isStale } from './staleness.ts'
import type { StoreView } from './store-view.ts'
import { ignoreRejection } from './walk-entry.ts'

/** Maximum size of the values of one answer. A single value may be larger. */
export const answerBytesMax = 16_777_216
/** Time to wait for schemas, over all keys. */
const schemaWaitMs = 10_000

export interface ManyOptions {
  form: ListForm
  maxLag: number | undefined
}

/** Why a key has no entry in the answer. */
interface Miss {
  code: ErrorCode
  /** Only with key_not_found: false while the record may still arrive. */
  caughtUp?: boolean
  /** Only with partition_not_held: the key's partition. */
  partition?: number
  /** Only with invalid_key: what is wrong with it. */
  detail?: string
}

type KeyBytes = Uint8Array | LatchkeyError

export class ManyHandler {
  readonly #store: StoreView
  readonly #stats: LookupStats
  readonly #caughtUp: CaughtUp

  constructor(store: StoreView, stats: LookupStats, caughtUp: CaughtUp) {
    this.#store = store
    this.#stats = stats
    this.#caughtUp = caughtUp
  }

  /** @throws LatchkeyError if the store answers nothing at all, such as recovering; also as a rejection */
  answer(asked: readonly AskedKey[], options: ManyOptions): Answer | Promise<Answer> {
    const waitsUntil = performance.now() + schemaWaitMs
    const keys = asked.map((key) => this.#keyOf(key))
    if (!keys.some((key) => key instanceof Promise)) {
      return this.#read(asked, keys as KeyBytes[], options, waitsUntil)
    }
    return Promise.all(keys).then((known) => this.#read(asked, known, options, waitsUntil))
  }

  #keyOf({ text, isBytes }: AskedKey): KeyBytes | Promise<KeyBytes> {
    if (isBytes) return text
    try {
      const key = this.#store.presentation.keyOf(text)
      return key instanceof Promise ? key.catch(errorOf) : key
    } catch (thrown) {
      return errorOf(thrown)
    }
  }

  #read(
    asked: readonly AskedKey[],
    keys: readonly KeyBytes[],
    options: ManyOptions,
    waitsUntil: number,
  ): Answer | Promise<Answer> {
    const valid = keys.filter((key) => key instanceof Uint8Array)
    const found = this.#store.getMany(valid, answerBytesMax)
    const render = (many: ManyLookups): Answer | Promise<Answer> => {
      const answer = this.#render(asked, keys, many, options, performance.now() < waitsUntil)
      if (!(answer instanceof Promise)) return answer
      return answer.catch(() => {}).then(() => this.#read(asked, keys, options, waitsUntil))
    }
    return found instanceof Promise ? found.then(render) : render(found)
  }

  /** @returns a promise if a schema is missing: it settles when rendering is worth another attempt */
  #render(
    asked: readonly AskedKey[],
    keys: readonly KeyBytes[],
    many: ManyLookups,
    { form, maxLag }: ManyOptions,
    waits: boolean,
  ): Answer | Promise<unknown> {
    const misses: (Miss | undefined)[] = []
    const isMissTooStale = maxLag !== undefined && isMissStale(this.#store.status(), maxLag)
    let pending: Promise<unknown> | undefined
    const body = written((to) => {
      if (form === 'json') writeBeginning(to, many)
      const start = to.length
      let valueBytes = 0
      let isFull = false
      let next = 0
      for (let index = 0; index < keys.length; index++) {
        const key = keys[index]!
        const result = key instanceof Uint8Array ? many.results[next++] : key
        const before = to.length
        let miss = this.#missOf(result, maxLag, isMissTooStale)
        if (miss === undefined) {
          const lookup = result as Lookup
          if (form === 'json' && before > start) to.ascii(',')
          const size = this.#writeEntry(to, asked[index]!, lookup)
          if (size instanceof Promise && waits) {
            pending = size
            return
          }
          if (size instanceof Promise) {
            ignoreRejection(size)
            miss = { code: 'schema_unavailable' }
          } else if (typeof size !== 'number') miss = { code: size.code }
          else if (isFull || (valueBytes > 0 && valueBytes + size > answerBytesMax)) {
            isFull = true
            miss = { code: 'answer_full' }
          } else valueBytes += size
        }
        misses.push(miss)
        if (miss !== undefined) {
          to.truncate(before)
          if (form === 'ndjson') writeMiss(to, asked[index]!, miss)
        }
        if (form === 'ndjson') to.ascii('\n')
      }
      if (form === 'json') writeMissing(to, asked, misses)
    })
    if (pending !== undefined) return pending
    for (const miss of misses) this.#count(miss)
    return listAnswer(body, form, epochHeader(many))
  }

  #missOf(result: Lookup | LatchkeyError | undefined, maxLag: number | undefined, isMissTooStale: boolean) {
    if (result instanceof LatchkeyError) return missOf(result, maxLag)
    if (result === undefined) {
      if (isMissTooStale) return { code: 'too_stale' } satisfies Miss
      return { code: 'key_not_found', caughtUp: this.#caughtUp.check() } satisfies Miss
    }
    return isStale(result.replicaLag, maxLag) ? ({ code: 'too_stale' } satisfies Miss) : undefined
  }

  /**
   * @returns size of the rendered value; a promise if a schema is missing, or the error if the value cannot be shown:
   *   then the entry is not complete
   */
  #writeEntry(to: JsonBuffer, { text, isBytes }: AskedKey, lookup: Lookup): number | Promise<unknown> | LatchkeyError {
    to.ascii('{"key":')
    if (isBytes) writeBytes(to, text)
    else writeText(to, text)
    const before = to.length
    try {
      const pending = writeValue(to, this.#store.presentation, lookup)
      if (pending !== undefined) return pending
    } catch (thrown) {
      const error = errorOf(thrown)
      logProblem(thrown, error.code)
      return error
    }
    const size = to.length - before
    writeOrigin(to, lookup)
    to.ascii('}')
    return size
  }

  #count(miss: Miss | undefined): void {
    if (miss === undefined) this.#stats.observeKey('found')
    else if (miss.code !== 'answer_full') this.#stats.observeKey(outcomeOfCode(miss.code))
  }
}

function missOf({ code, message, details }: LatchkeyError, maxLag: number | undefined): Miss {
  if (code === 'invalid_key') return { code, detail: message }
  const { partition, caughtUp, lag } = details
  if (code === 'key_not_found') {
    // The copy that was read may be another instance's, so its lag counts.
    if (isStale(lag as number | null | undefined, maxLag)) return { code: 'too_stale' }
    return { code, caughtUp: caughtUp === true }
  }
  return typeof partition === 'number' ? { code, partition } : { code }
}

function errorOf(thrown: unknown): LatchkeyError {
  return isInstance(thrown, LatchkeyError)
    ? thrown
    : new LatchkeyError('internal', 'Reading many keys', { cause: thrown })
}

function writeBeginning(to: JsonBuffer, { epoch, epochs }: ManyLookups): void {
  if (epochs === undefined) {
    to.ascii('{"epoch":')
    to.number(epoch)
  } else to.text(`{"epochs":${JSON.stringify(epochs)}`)
  to.ascii(',"entries":[')
}

function writeMissing(to: JsonBuffer, asked: readonly AskedKey[], misses: readonly (Miss | undefined)[]): void {
  to.ascii('],"missing":[')
  let isFirst = true
  for (const [index, miss] of misses.entries()) {
    if (miss === undefined) continue
    if (!isFirst) to.ascii(',')
    isFirst = false
    writeMiss(to, asked[index]!, miss)
  }
  to.ascii(']}\n')
}

function writeMiss(to: JsonBuffer, { text, isBytes }: AskedKey, miss: Miss): void {
  to.ascii('{"key":')
  if (isBytes) writeBytes(to, text)
  else writeText(to, text)
  const { caughtUp, partition, detail, code } = miss
  to.ascii(`,"code":"${code}"`)
  if (caughtUp !== undefined) to.ascii(`,"caughtUp":${caughtUp}`)
  if (partition !== undefined) to.ascii(`,"partition":${partition}`)
  if (detail !== undefined) to.text(`,"detail":${JSON.stringify(detail.toWellFormed())}`)
  to.ascii('}')
}
