/**
 * The body of a stream of changes. A batch of changes is taken when the client has taken the former one, so a slow
 * client holds one batch, and skips values in between.
 */
import type { FeedStats } from '../../metrics/index.ts'
import type { ChangeBatch, Following } from '../../store-protocol/following.ts'
import type { BodySource } from '../stream-answer.ts'
import type { FeedBeats } from './feed-beats.ts'
import type { FeedEncoder } from './feed-encoder.ts'
import type { FeedTurns } from './feed-turns.ts'

const nothing = (): void => {}
/** Time to wait for schemas, for one batch. */
const schemaWaitMs = 10_000

/** What the streams of a thread share. */
export interface FeedParts {
  readonly stats: FeedStats
  readonly beats: FeedBeats
  readonly turns: FeedTurns
}

export class FeedSource implements BodySource {
  ready = nothing
  #follower: Following | undefined
  readonly #encoder: FeedEncoder
  readonly #parts: FeedParts
  #piece: Uint8Array<ArrayBuffer> | undefined
  /** The follower may have something. */
  #isWoken = true
  #isTaking = false
  #isOver = false
  #isResumeCounted = false

  /**
   * @param follow begins to follow; gets what is to be called when there may be changes
   * @returns rejects as `follow` does
   */
  static async open(
    follow: (ready: () => void) => Promise<Following>,
    encoder: FeedEncoder,
    parts: FeedParts,
  ): Promise<FeedSource> {
    const source = new FeedSource(encoder, parts)
    source.#begin(await follow(readyOf(source)))
    return source
  }

  private constructor(encoder: FeedEncoder, parts: FeedParts) {
    this.#encoder = encoder
    this.#parts = parts
  }

  read(): Uint8Array<ArrayBuffer> | undefined | null {
    const piece = this.#piece
    if (piece !== undefined) {
      this.#piece = undefined
      return piece
    }
    if (this.#isOver) return null
    if (this.#isWoken && !this.#isTaking) void this.#take()
    return undefined
  }

  /** The follower may have something. */
  woken(): void {
    this.#isWoken = true
    if (!this.#isTaking) this.ready()
  }

  /** Says that the client is still followed, and at which place. */
  beat(): void {
    // A client that has something to take is not in silence.
    if (this.#piece !== undefined || this.#isTaking) return
    this.#piece = this.#encoder.beat(this.#follower?.place)
    this.ready()
  }

  cancel(): void {
    this.#piece = undefined
    this.#close()
  }

  /** The server stops. */
  end(): void {
    this.#close()
    this.ready()
  }

  #begin(follower: Following): void {
    this.#follower = follower
    this.#piece = this.#encoder.begin(follower.place)
    this.#encoder.clients++
    this.#parts.beats.add(this)
    this.#parts.stats.followed(1)
    // The changelog has to be read first: it may turn out that it does not have what is missing.
    if (follower.resumed !== 'changelog') this.#countResume()
  }

  async #take(): Promise<void> {
    this.#isTaking = true
    try {
      while (this.#isWoken && this.#piece === undefined && !this.#isOver) {
        this.#isWoken = false
        const batch = await this.#parts.turns.take(async () => this.#next())
        if (batch === undefined) continue
        // There may be more.
        this.#isWoken = true
        this.#countResume()
        const bytes = await this.#encode(batch)
        if (bytes.length > 0) this.#piece = bytes
      }
    } catch {
      // The store does not serve any more. The client connects again, and learns why.
      this.#close()
    }
    this.#isTaking = false
    if (this.#piece !== undefined || this.#isOver || this.#isWoken) this.ready()
  }

  /** The client may have left before its turn. */
  #next(): Promise<ChangeBatch | undefined> | undefined {
    return this.#isOver ? undefined : this.#follower?.next()
  }

  async #encode(batch: ChangeBatch): Promise<Uint8Array<ArrayBuffer>> {
    const waitsUntil = performance.now() + schemaWaitMs
    for (;;) {
      const bytes = this.#encoder.batch(batch, performance.now() < waitsUntil)
      if (bytes instanceof Uint8Array) {
        for (const { type } of batch.events) this.#parts.stats.observe(type)
        return bytes
      }
      await bytes.catch(() => {})
    }
  }

  #countResume(): void {
    const resumed = this.#follower?.resumed
    if (resumed !== undefined && !this.#isResumeCounted) this.#parts.stats.resumed(resumed)
    this.#isResumeCounted = true
  }

  #close(): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#parts.beats.remove(this)
    this.#follower?.close()
    this.#encoder.clients--
    this.#parts.stats.followed(-1)
  }
}

/** Apart, because a function that is made within a suspended one keeps all that this has. */
function readyOf(source: FeedSource): () => void {
  return () => source.woken()
}
