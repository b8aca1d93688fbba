/** `GET /changes/<id>`: follows changes, as server-sent events or as lines. */
import { LatchkeyError } from '../../errors.ts'
import type { FeedStats } from '../../metrics/index.ts'
import type { Following } from '../../store-protocol/following.ts'
import type { Answer } from '../answer.ts'
import { streamHeaders } from '../event-stream.ts'
import { problemResponse } from '../problem.ts'
import type { RequestHead } from '../request-head.ts'
import { checkStoreId } from '../store-id.ts'
import type { StoreView } from '../store-view.ts'
import { emptyBody, StreamAnswer } from '../stream-answer.ts'
import { FeedBeats } from './feed-beats.ts'
import { FeedEncoder } from './feed-encoder.ts'
import { type FeedForm, type FeedOptions, feedOptionsOf } from './feed-options.ts'
import { type FeedParts, FeedSource } from './feed-source.ts'
import { FeedTurns } from './feed-turns.ts'

const feedPrefix = '/changes/'
const feedPath = /^\/changes\/[^/?]+(?:\?|$)/
const allow = 'GET, HEAD'

const contentTypes: Readonly<Record<FeedForm, string>> = {
  sse: 'text/event-stream; charset=utf-8',
  ndjson: 'application/x-ndjson',
}

/** @param target path and query */
export function isFeed(target: string): boolean {
  return target.startsWith(feedPrefix) && feedPath.test(target)
}

export class FeedHandler {
  readonly #store: StoreView
  readonly #parts: FeedParts
  /** By form and values. A prefix that the store cannot compare has an encoder of its own. */
  readonly #encoders = new Map<string, FeedEncoder>()

  constructor(store: StoreView, stats: FeedStats) {
    this.#store = store
    this.#parts = { stats, beats: new FeedBeats(), turns: new FeedTurns() }
  }

  /** @param target of the request, for which isFeed holds */
  async handle(request: RequestHead, target: string): Promise<Answer> {
    try {
      return await this.#answer(request, target)
    } catch (thrown) {
      return problemResponse(thrown)
    }
  }

  async #answer(request: RequestHead, target: string): Promise<Answer> {
    const { method } = request
    const queryAt = target.indexOf('?')
    const pathEnd = queryAt < 0 ? target.length : queryAt
    checkStoreId(target.slice(feedPrefix.length, pathEnd), this.#store.id)
    if (method !== 'GET' && method !== 'HEAD') return methodNotAllowed(method)
    const options = await feedOptionsOf(this.#store, request, queryAt < 0 ? '' : target.slice(queryAt + 1))
    const follow = (ready: () => void) => this.#store.changes.follow(options.follow, ready)
    const source =
      method === 'HEAD'
        ? await emptyAfter(follow)
        : await FeedSource.open(follow, this.#encoderFor(options), this.#parts)
    return new StreamAnswer(source, streamHeaders(contentTypes[options.form]))
  }

  #encoderFor({ form, textPrefix, follow: { withValues } }: FeedOptions): FeedEncoder {
    const { presentation } = this.#store
    if (textPrefix !== undefined) return new FeedEncoder(presentation, { form, withValues, textPrefix })
    const name = `${form} ${withValues}`
    const known = this.#encoders.get(name) ?? new FeedEncoder(presentation, { form, withValues, textPrefix })
    this.#encoders.set(name, known)
    return known
  }
}

/** What GET would be refused, HEAD is, too. */
async function emptyAfter(follow: (ready: () => void) => Promise<Following>): Promise<typeof emptyBody> {
  const following = await follow(() => {})
  following.close()
  return emptyBody
}

function methodNotAllowed(method: string): Response {
  const message = `Following changes: ${method} is not possible here; use GET or HEAD`
  return problemResponse(new LatchkeyError('method_not_allowed', message), { allow })
}
