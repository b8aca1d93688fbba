/**
 * The order of visible changes, for the threads that read the store: how far each partition is visible, which keys each
 * publish has changed, and a message after a publish to the threads that wait for one.
 */
import type { Stats } from '../../store-protocol/stats.ts'
import type { FromThread, Watching } from '../../store-protocol/thread-messages.ts'
import { ChangeRecorder } from './change-recorder.ts'
import { ChangelogKeys, type KeysLog } from './changelog-keys.ts'
import { VisibleLags } from './visible-lags.ts'
import { VisiblePositions } from './visible-positions.ts'

/** Time for which changes are recorded after the last thread has stopped following them: clients return. */
const keptMs = 10 * 60_000

export interface ChangesOptions {
  /** Size of the ring. */
  bytes: number
  post: (message: FromThread) => void
  /** Makes everything visible that is in the map. */
  flush: () => Promise<void>
  /** Id of the changelog topic; undefined if the brokers know no ids. */
  topicId: () => string | undefined
  /** The changelog, for followers that continue at an old place. */
  log: KeysLog
  failed: (error: unknown) => void
}

export class Changes {
  readonly positions: VisiblePositions
  readonly lags: VisibleLags
  readonly recorder: ChangeRecorder
  readonly keys: ChangelogKeys
  readonly #options: ChangesOptions
  /** By number of the reading thread. */
  readonly #watching = new Map<number, Exclude<Watching, 'nothing'>>()
  #threads: readonly number[] = []
  /** Resolves when everything that is in no ring is visible. */
  #isComplete: Promise<void> | undefined
  #end: Timer | undefined

  constructor(stats: Stats, options: ChangesOptions) {
    this.positions = new VisiblePositions(stats)
    this.lags = new VisibleLags(stats)
    this.recorder = new ChangeRecorder(stats.layout, this.positions, options.bytes)
    this.#options = options
    const { log, post, failed } = options
    const visible = (partition: number) => this.positions.published[this.positions.rowOf(partition)]!
    this.keys = new ChangelogKeys({ log, visible, post, failed })
  }

  /** A reading thread wants a message after each publish, or no longer. The answer is `watching`. */
  watch(readerThread: number, watching: Watching): void {
    if (watching === 'nothing') this.#watching.delete(readerThread)
    else this.#watching.set(readerThread, watching)
    this.#threads = [...this.#watching.keys()]
    const isFollowed = this.#watching.values().some((wanted) => wanted === 'keys')
    clearTimeout(this.#end)
    if (!isFollowed && this.recorder.isRecording) this.#end = setTimeout(() => this.#stopRecording(), keptMs)
    if (watching === 'positions') this.#options.post({ type: 'watching', readerThread })
    if (watching === 'keys') this.#follow(readerThread).catch(this.#options.failed)
  }

  /** To be called when a publish begins. */
  began(): void {
    this.positions.began()
    this.lags.began()
    this.recorder.began()
  }

  /** To be called when it has ended. */
  ended(operations: number): void {
    const isMoved = this.positions.ended()
    this.lags.ended()
    this.recorder.ended()
    if (this.#threads.length === 0 || (!isMoved && operations === 0)) return
    this.#options.post({ type: 'published', readerThreads: this.#threads })
  }

  stop(): void {
    clearTimeout(this.#end)
  }

  /**
   * Records from now on. What was put before is made visible first: it is in no ring, and a reader that begins to follow
   * finds it in the map.
   */
  async #follow(readerThread: number): Promise<void> {
    const ring = this.recorder.start()
    this.#isComplete ??= this.#options.flush()
    await this.#isComplete
    if (!this.#watching.has(readerThread)) return
    const positions = [...this.positions.published]
    const inexact = this.positions.inexact
    const topicId = this.#options.topicId() ?? ''
    const following = { ring: ring.shared, at: ring.published, positions, inexact, topicId }
    this.#options.post({ type: 'watching', readerThread, following })
  }

  #stopRecording(): void {
    this.recorder.stop()
    this.#isComplete = undefined
  }
}
