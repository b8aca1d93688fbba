/**
 * What the group thread says to all threads of the process without a message, in shared memory: how long no other
 * instance can have taken what this one has. The group thread writes it.
 */
import { bootTimeMs } from '../linux/boot-time.ts'

/** For so long a plan counts as the present one after the coordinator has said so. Heartbeats are more frequent. */
const currentMs = 1_500
/** So long after a plan no member takes the one before for the present one. It may be stopped, or have no network. */
export const supersededMs = currentMs + 500

/** 64-bit floats, of one writer each. Times are those of bootTimeMs(), which all threads share. */
const fields = ['leaseSentAtMs', 'sessionTimeoutMs', 'generation', 'holdsUntilMs', 'currentSentAtMs'] as const
type NoticeField = (typeof fields)[number]
/** Behind them, two 32-bit words. */
const joining = fields.length * 2
const words = joining + 2

export class GroupNotice {
  readonly #values: Float64Array
  readonly #words: Int32Array

  static buffer(sessionTimeoutMs: number): SharedArrayBuffer {
    const buffer = new SharedArrayBuffer(words * Int32Array.BYTES_PER_ELEMENT)
    const notice = new GroupNotice(buffer)
    notice.#set('sessionTimeoutMs', sessionTimeoutMs)
    notice.#set('generation', -1)
    notice.#set('currentSentAtMs', Number.NEGATIVE_INFINITY)
    notice.endLease()
    return buffer
  }

  constructor(buffer: SharedArrayBuffer) {
    this.#values = new Float64Array(buffer)
    this.#words = new Int32Array(buffer)
  }

  /** A heartbeat or sync was answered. @param sentAtMs when it was sent */
  answered(sentAtMs: number): void {
    this.#set('leaseSentAtMs', Math.max(this.#get('leaseSentAtMs'), sentAtMs))
  }

  /** The coordinator has removed this instance. */
  endLease(): void {
    this.#set('leaseSentAtMs', Number.NEGATIVE_INFINITY)
  }

  /** No other instance can have taken what this one has. */
  hasLease(nowMs = bootTimeMs()): boolean {
    return this.leaseMs(nowMs) > 0
  }

  /** Time that is left of the lease; 0 without one. */
  leaseMs(nowMs = bootTimeMs()): number {
    return Math.max(0, this.#get('leaseSentAtMs') + this.#get('sessionTimeoutMs') - nowMs)
  }

  /** Of the present plan; -1 before the first. */
  get generation(): number {
    return this.#get('generation')
  }

  set generation(generation: number) {
    this.#set('generation', generation)
  }

  /** The coordinator has said that the present plan is that of its generation. @param sentAtMs when it was asked */
  confirmed(sentAtMs: number): void {
    this.#set('currentSentAtMs', sentAtMs)
  }

  /** No instance has got a plan yet that is newer than the one of a generation; or less than supersededMs ago. */
  isCurrent(generation: number, nowMs = bootTimeMs()): boolean {
    return generation === this.generation && nowMs < this.#get('currentSentAtMs') + currentMs
  }

  /**
   * Another instance was removed that may still claim what this one has got: until then, lookups that need the latest
   * value wait.
   */
  get holdsUntilMs(): number {
    return this.#get('holdsUntilMs')
  }

  set holdsUntilMs(timeMs: number) {
    this.#set('holdsUntilMs', timeMs)
  }

  isHolding(nowMs = bootTimeMs()): boolean {
    return nowMs < this.holdsUntilMs
  }

  /**
   * From before a report until its plan. A promotion and a report never miss each other: the store thread sets the
   * gauge `promoting` and then reads this; the group thread sets this and then reads the gauges. Both operations are
   * read-modify-write, which orders them with the gauges.
   */
  get isJoining(): boolean {
    return Atomics.or(this.#words, joining, 0) === 1
  }

  set isJoining(isJoining: boolean) {
    Atomics.exchange(this.#words, joining, isJoining ? 1 : 0)
  }

  #get(field: NoticeField): number {
    return this.#values[fields.indexOf(field)]!
  }

  #set(field: NoticeField, value: number): void {
    this.#values[fields.indexOf(field)] = value
  }
}
