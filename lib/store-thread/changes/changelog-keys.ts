/**
 * Answers requests for the keys that a part of the changelog changes. Each reading thread has at most one request for a
 * partition, a partition is read by one reader, and four partitions at a time; the other requests wait.
 */
import { isInstance, LatchkeyError } from '../../errors.ts'
import { loggerOf, RepeatedLog } from '../../log/index.ts'
import type { KeysFound, KeysPart } from '../../store-protocol/changed-keys.ts'
import type { FromThread, KeysRequest } from '../../store-protocol/thread-messages.ts'

/** Partitions that are read at a time. */
const readersMax = 4
/** A reader that has not answered by then, as the brokers do not, does not count any more. */
const countedMs = 5_000

const repeated = new RepeatedLog(loggerOf('store'))

/** The changelog, as it is read for followers. */
export interface KeysLog {
  /** @returns undefined if the log does not have these offsets. May retry for as long as the brokers fail */
  readPart(partition: number, from: number, to: number): Promise<KeysPart | undefined>
  /** Returns whether the log has everything below an offset. */
  reaches(partition: number, offset: number): Promise<boolean>
}

export interface ChangelogKeysOptions {
  readonly log: KeysLog
  /** Changelog position up to which a partition is visible. */
  visible(partition: number): number
  post(message: FromThread): void
  failed(error: unknown): void
}

export class ChangelogKeys {
  readonly #options: ChangelogKeysOptions
  /** By partition, in the order in which they came. */
  readonly #requests = new Map<number, KeysRequest[]>()
  readonly #reading = new Set<number>()
  #counted = 0

  constructor(options: ChangelogKeysOptions) {
    this.#options = options
  }

  /** The answer is `keys`. A request replaces that of the same thread for the same partition. */
  request(request: KeysRequest): void {
    const { partition, readerThread } = request
    const others = (this.#requests.get(partition) ?? []).filter((one) => one.readerThread !== readerThread)
    this.#requests.set(partition, [...others, request])
    this.#begin()
  }

  #begin(): void {
    for (const [partition, [first]] of this.#requests) {
      if (this.#counted >= readersMax) return
      if (first === undefined || this.#reading.has(partition)) continue
      this.#reading.add(partition)
      this.#counted++
      let isCounted = true
      const uncount = () => {
        if (isCounted) this.#counted--
        isCounted = false
      }
      const timer = setTimeout(() => {
        uncount()
        this.#begin()
      }, countedMs)
      void this.#read(first).finally(() => {
        clearTimeout(timer)
        uncount()
        this.#reading.delete(partition)
        this.#begin()
      })
    }
  }

  async #read(request: KeysRequest): Promise<void> {
    const { partition, from, to } = request
    let found: KeysFound | undefined
    try {
      found = from < to ? await this.#options.log.readPart(partition, from, to) : await this.#look(request)
    } catch (error) {
      if (!isInstance(error, LatchkeyError)) return this.#options.failed(error)
      if (error.code === 'stopping') return
      const message = 'Reading keys of changelog partition {partition}: {fault}. Clients that resume there begin again'
      repeated.log('error', `keys ${partition}`, message, { partition, fault: error.message })
    }
    const isAnswered = (one: KeysRequest) => one === request || (typeof found === 'object' && has(found, one))
    const requests = this.#requests.get(partition) ?? []
    const rest = requests.filter((one) => !isAnswered(one))
    // The other partitions come first.
    this.#requests.delete(partition)
    if (rest.length > 0) this.#requests.set(partition, rest)
    for (const one of requests.filter(isAnswered)) this.#answer(one, found ?? 'lost')
  }

  /** Finds out about an offset that a client has reached elsewhere. */
  async #look({ partition, to }: KeysRequest): Promise<KeysFound> {
    const { log, visible } = this.#options
    if (visible(partition) >= to) return 'reached'
    const isThere = await log.reaches(partition, to)
    // The answer comes before the message of a later publish, with which the reading thread asks again.
    if (visible(partition) >= to) return 'reached'
    return isThere ? 'ahead' : 'lost'
  }

  #answer({ readerThread, partition, from }: KeysRequest, found: KeysFound): void {
    this.#options.post({ type: 'keys', readerThread, partition, from, found })
  }
}

function has({ from, to }: KeysPart, request: KeysRequest): boolean {
  return request.from >= from && request.from < to && request.to > request.from
}
