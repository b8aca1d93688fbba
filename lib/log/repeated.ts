/**
 * Logs messages that an outage would repeat thousands of times: one per key and interval, with the number of suppressed
 * ones. The end of the thread writes the waiting ones early.
 */
import { getConfig, type Logger } from '@logtape/logtape'
import { templateLine } from './format.ts'
import type { LogLevel } from './level.ts'

const intervalMsDefault = 5_000
const keysMax = 1_000

interface RepeatedMessage {
  level: LogLevel
  message: string
  properties: Record<string, unknown>
}

interface Entry {
  loggedAt: number
  suppressed: number
  last: RepeatedMessage | undefined
  /** Logs the last suppressed message when the interval has passed. */
  timer: ReturnType<typeof setTimeout> | undefined
}

/** For all logs of this thread: logs the last suppressed message of each entry. */
const pending = new Map<Entry, () => void>()

/**
 * Logs at once what this thread would log at the ends of intervals. Call it before the thread, or a component that has
 * logged in it, ends.
 */
export function writePending(): void {
  for (const write of pending.values()) write()
}

/** Receives lines while LogTape is not configured. If undefined, these lines are lost. */
let unconfigured: ((line: string) => void) | undefined

/** Passes warnings and errors to `write` from now on, as long as LogTape is not configured in this thread. */
export function warnUnconfigured(write: (line: string) => void): void {
  unconfigured = write
}

export class RepeatedLog {
  readonly #logger: Logger
  readonly #intervalMs: number
  readonly #now: () => number
  readonly #entries = new Map<string, Entry>()

  /** @param now clock in milliseconds, for tests */
  constructor(logger: Logger, intervalMs: number = intervalMsDefault, now: () => number = () => performance.now()) {
    this.#logger = logger
    this.#intervalMs = intervalMs
    this.#now = now
  }

  /**
   * Logs unless a message with this key was logged within the interval. The last suppressed message of an interval is
   * logged at its end, with the number of the others.
   * @param key identifies equal messages, for example `fetch 3`; beyond 1,000 keys the least recently logged
   *   key is removed
   */
  log(level: LogLevel, key: string, message: string, properties: Record<string, unknown> = {}): void {
    const now = this.#now()
    const entry = this.#entries.get(key)
    if (entry && now - entry.loggedAt < this.#intervalMs) {
      entry.suppressed++
      entry.last = { level, message, properties }
      if (entry.timer === undefined) this.#defer(key, entry, this.#intervalMs - (now - entry.loggedAt))
      return
    }
    if (entry) settle(entry)
    this.#remember(key, now)
    this.#writeWith(entry?.suppressed ?? 0, { level, message, properties })
  }

  #defer(key: string, entry: Entry, delayMs: number): void {
    const write = () => this.#writeLast(key, entry)
    entry.timer = setTimeout(write, delayMs).unref()
    pending.set(entry, write)
  }

  #writeLast(key: string, entry: Entry): void {
    settle(entry)
    if (this.#entries.get(key) !== entry || entry.last === undefined) return
    this.#remember(key, this.#now())
    this.#writeWith(entry.suppressed - 1, entry.last)
  }

  #remember(key: string, loggedAt: number): void {
    this.#entries.delete(key)
    if (this.#entries.size >= keysMax) this.#entries.delete(this.#entries.keys().next().value!)
    this.#entries.set(key, { loggedAt, suppressed: 0, last: undefined, timer: undefined })
  }

  #writeWith(suppressed: number, { level, message, properties }: RepeatedMessage): void {
    if (suppressed === 0) this.#write(level, message, properties)
    else this.#write(level, `${message} ({suppressed} more like it not logged)`, { ...properties, suppressed })
  }

  #write(level: LogLevel, message: string, properties: Record<string, unknown>): void {
    this.#logger[level](message, properties)
    if (unconfigured === undefined || (level !== 'warning' && level !== 'error') || getConfig() !== null) return
    unconfigured(templateLine(level, this.#logger.category, message, properties))
  }
}

function settle(entry: Entry): void {
  clearTimeout(entry.timer)
  pending.delete(entry)
}
