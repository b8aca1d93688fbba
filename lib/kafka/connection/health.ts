/**
 * Tracks what fails for a client: at which partitions and brokers, and since when. Each trouble is separate: a success
 * at one broker hides no failure at another. Logged at a bounded rate, also while nothing changes.
 */
import type { LatchkeyError } from '../../errors.ts'
import { loggerOf } from '../../log/index.ts'
import type { PartitionTrouble } from '../../store-protocol/status.ts'
import { isSettling } from '../protocol/error-codes.ts'

const log = loggerOf('kafka')
const reportMs = 1_000
/** Between two reports of a trouble at first; each time twice as long, and a minute at most. */
const logEveryMs = 5_000
const logEveryMaxMs = 60_000
/** Shorter troubles (a coordinator that loads, a leader that moves) are not logged. */
const quietMs = 1_000
/** Maximum of lines in one report. */
const linesMax = 5
const partitionsNamedMax = 20

/** Scope of an attempt: partitions at a broker, or one operation. */
export interface Affected {
  partitions?: readonly number[]
  /** host:port */
  broker?: string | undefined
  operation?: symbol
}

interface Trouble {
  partitions: readonly number[]
  broker: string | undefined
  message: string
  /** Troubles of the same kind are shown together. */
  kind: string
  since: number
  /** Whether no broker answered. */
  isUnanswered: boolean
}

const whole = Symbol('the client')

export class Health {
  readonly #subject: string
  readonly #troubles = new Map<number | symbol, Trouble>()
  #timer: ReturnType<typeof setInterval> | undefined
  #loggedAt = 0
  #logAgainMs = logEveryMs
  /** Kinds of trouble in the last report. */
  #loggedKinds: ReadonlySet<string> = new Set()
  /** Start of the trouble that was logged, until the next success. */
  #loggedSince: number | undefined
  /** When the last trouble ended. */
  #overAt = 0
  /** Failed attempts, without those of the first second in which a leader or a coordinator moves. */
  failures = 0
  /** Whether anything has ever succeeded. */
  hasWorked = false

  /** @param subject name of this client in log lines, e.g. `source consumer` */
  constructor(subject: string) {
    this.#subject = subject
  }

  /** What fails, where and since when; undefined if nothing does. */
  get trouble(): string | undefined {
    const troubles = this.#lasting().map((group) => {
      const { message, since } = group[0]!
      const seconds = secondsSince(Math.min(since, ...group.map((one) => one.since)))
      const places = [...placesOf(group), `for ${seconds} s`].join(', ')
      return `${this.#subject}: ${message} (${places}, still retrying)${this.#adviceOn(group)}`
    })
    return troubles.length === 0 ? undefined : troubles.join(' · ')
  }

  /** The trouble that has lasted longest, for a caller that has stopped trying. */
  get lastFound(): string | undefined {
    const [group] = this.#lasting()
    return group && `${group[0]!.message}${this.#adviceOn(group)}`
  }

  /** Troubles by partition. Of several at one partition and broker, the one that has lasted longest. */
  get partitionTroubles(): PartitionTrouble[] {
    const found = new Map<string, PartitionTrouble>()
    for (const { partitions, broker = null, message, since } of this.#lasting().flat()) {
      const place = { client: this.#subject, broker, since: new Date(since).toISOString(), message }
      for (const partition of partitions) {
        const key = `${partition} ${broker}`
        const known = found.get(key)
        if (known === undefined || place.since < known.since) found.set(key, { partition, ...place })
      }
    }
    return [...found.values()]
  }

  /** Registers a failed attempt. */
  failed(error: LatchkeyError, affected: Affected = {}): void {
    this.waits(error, affected)
    if (!this.#isSettling(error, affected)) this.failures++
  }

  /** A topic that was just created, or a leader that moves, is not a failure within the time that is not logged. */
  #isSettling({ details }: LatchkeyError, { partitions, operation = whole }: Affected): boolean {
    if (!isSettling(Number(details['brokerCode'] ?? 0))) return false
    const begun = Date.now() - quietMs
    return (partitions ?? [operation]).every((key) => (this.#troubles.get(key)?.since ?? begun) > begun)
  }

  /** Registers an attempt that has not succeeded yet. */
  waits({ code, message, details }: LatchkeyError, { partitions, broker, operation = whole }: Affected): void {
    const kind = `${broker} ${String(details['brokerCode'] ?? causeOf(message))}`
    for (const key of partitions ?? [operation]) {
      const concerned = typeof key === 'number' ? [key] : ((details['partitions'] ?? []) as readonly number[])
      const since = this.#troubles.get(key)?.since ?? Date.now()
      const isUnanswered = code === 'broker_unreachable' || code === 'request_timed_out'
      this.#troubles.set(key, { partitions: concerned, broker, message, kind, since, isUnanswered })
    }
    if (this.#troubles.size === 0) return
    this.#timer ??= setInterval(() => this.report(), reportMs)
    this.#timer.unref()
  }

  /** Registers a success of a partition or an operation, or of the client as a whole. */
  succeeded(key: number | symbol = whole): void {
    this.hasWorked = true
    this.over(key)
    if (this.#loggedSince === undefined || this.#troubles.size > 0) return
    const seconds = secondsSince(this.#loggedSince, this.#overAt)
    this.#loggedSince = undefined
    log.info('{subject}: working again after {seconds} s', { subject: this.#subject, seconds })
  }

  /**
   * Clears a trouble that is not attempted any more. Not a success: only the next one logs that the client works again.
   */
  over(key: number | symbol): void {
    if (this.#troubles.size === 0 || !this.#troubles.delete(key) || this.#troubles.size > 0) return
    clearInterval(this.#timer)
    this.#timer = undefined
    this.#loggedAt = 0
    this.#loggedKinds = new Set()
    this.#overAt = Date.now()
  }

  /** Nothing is attempted any more, so nothing is reported either. */
  stop(): void {
    clearInterval(this.#timer)
    this.#timer = undefined
    this.#troubles.clear()
  }

  /** Logs lasting troubles: at most every five seconds, and less often the longer they stay the same. */
  report(): void {
    const groups = this.#lasting()
    if (groups.length === 0) return
    const now = Date.now()
    const kinds = new Set(groups.map(([first]) => first!.kind))
    const isNew = !kinds.isSubsetOf(this.#loggedKinds)
    if (now - this.#loggedAt < (isNew ? logEveryMs : this.#logAgainMs)) return
    this.#logAgainMs = isNew ? logEveryMs : Math.min(logEveryMaxMs, 2 * this.#logAgainMs)
    this.#loggedAt = now
    this.#loggedKinds = kinds
    for (const group of groups.slice(0, linesMax)) this.#log(group)
    const more = groups.length - linesMax
    if (more > 0) log.warn('{subject}: {more} more troubles', { subject: this.#subject, more })
  }

  #log(group: readonly Trouble[]): void {
    const { message, broker } = group[0]!
    const since = Math.min(...group.map((one) => one.since))
    this.#loggedSince = Math.min(since, this.#loggedSince ?? since)
    const where = placesOf(group)
      .map((place) => ` (${place})`)
      .join('')
    log.warn('{subject}: {message}{where}; no success for {seconds} s, still retrying{advice}', {
      subject: this.#subject,
      message,
      where,
      advice: this.#adviceOn(group),
      seconds: secondsSince(since),
      partitions: group.flatMap(({ partitions }) => partitions),
      broker,
      since: new Date(since).toISOString(),
    })
  }

  /** Returns advice about the address if no broker has ever answered: the address may be wrong. */
  #adviceOn([first]: readonly Trouble[]): string {
    const isAdvised = !this.hasWorked && first!.isUnanswered && first!.partitions.length === 0
    return isAdvised ? '. Correct KAFKA_BROKERS, unless a broker is still to start there' : ''
  }

  /** Returns lasting troubles by kind, the oldest first. */
  #lasting(): Trouble[][] {
    if (this.#troubles.size === 0) return []
    const now = Date.now()
    const lasting = [...this.#troubles.values()].filter(({ since }) => now - since >= quietMs)
    const groups = Map.groupBy(
      lasting.toSorted((a, b) => a.since - b.since),
      ({ kind }) => kind,
    )
    return [...groups.values()]
  }
}

/** Returns `partitions 0, 3 at 10.0.0.5:9092`; empty if no partition is known. */
function placesOf(group: readonly Trouble[]): string[] {
  const partitions = [...new Set(group.flatMap((one) => one.partitions))].toSorted((a, b) => a - b)
  if (partitions.length === 0) return []
  const named = partitions.slice(0, partitionsNamedMax).join(', ')
  const more = partitions.length - partitionsNamedMax
  const { broker } = group[0]!
  const noun = partitions.length === 1 ? 'partition' : 'partitions'
  return [`${noun} ${named}${more > 0 ? ` and ${more} more` : ''}${broker === undefined ? '' : ` at ${broker}`}`]
}

/** Removes the request's name and the waiting time, so that requests with the same cause at one broker are grouped. */
function causeOf(message: string): string {
  return message.replace(/^\w+ (?=to )/, '').replace(/no answer for \d+ s/, 'no answer')
}

function secondsSince(since: number, now = Date.now()): number {
  return Math.round((now - since) / 100) / 10
}
