/**
 * Requests of other members, which are answered from the memory of this instance and never sent on: so there are no
 * loops, also where two instances have different plans.
 */
import { LatchkeyError } from '../errors.ts'
import type { GroupView } from '../group-protocol/group-view.ts'
import { answerBytesMax, answerOperation, type LocalReads } from './answer-wide.ts'
import type { FeedAnswers, LinkOwner } from './feeds/feed-answers.ts'
import { readLinkRequest, writeLinkAnswer } from './feeds/wire-links.ts'
import type { HopAnswer, HopKey, HopKind, OpenedRequest } from './hop.ts'
import type { PeerOperation, Result } from './operations.ts'
import type { HopWriter } from './wire-bytes.ts'
import { readOperations, writeResult } from './wire.ts'

export type Bytes = Uint8Array<ArrayBuffer>

/** Operations of one request that wait at a time: each may hold a value. */
const waitingMax = 64

export interface GroupRequestsOptions {
  readonly store: LocalReads
  readonly feeds: Pick<FeedAnswers, 'answer'>
  readonly key: HopKey
  /** Of the values of one answer, after the first; 16 MiB by default. */
  readonly answerBytes?: number | undefined
  /** Tries whether a member is reached at the URL that the group has for it. */
  reaches(memberId: string): Promise<Result>
}

export class GroupRequests {
  readonly #options: GroupRequestsOptions
  readonly #answerBytes: number
  #view: GroupView | undefined
  #members: ReadonlySet<string> = new Set()
  #instanceId = ''

  constructor(options: GroupRequestsOptions) {
    this.#options = options
    this.#answerBytes = options.answerBytes ?? answerBytesMax
  }

  setGroup(view: GroupView): void {
    this.#view = view
    this.#members = new Set(view.plan.members.map(({ memberId }) => memberId))
    this.#instanceId = view.plan.members.find(({ memberId }) => memberId === view.memberId)?.id ?? ''
  }

  /**
   * Answers a request.
   * @throws LatchkeyError unauthorized, malformed_request, waits_exhausted; also as a rejection
   */
  answer(kind: HopKind, body: Uint8Array): Bytes | Promise<Bytes> {
    const opened = this.#options.key.open(kind, body)
    if (kind === 'feeds') return this.#answerLink(opened)
    const operations = readOperations(opened.reader)
    opened.reader.end()
    const status = this.#statusOf(opened)
    if (status !== 'answered') return this.#seal(opened, status, [])
    if (kind === 'probe') {
      return this.#options.reaches(opened.hop.fromMemberId).then((result) => this.#seal(opened, status, [result]))
    }
    const results = this.#answerAll(operations, opened)
    return results instanceof Promise
      ? results.then((all) => this.#seal(opened, status, all))
      : this.#seal(opened, status, results)
  }

  async #answerLink(opened: OpenedRequest): Promise<Bytes> {
    const request = readLinkRequest(opened.reader)
    opened.reader.end()
    const status = this.#statusOf(opened)
    const answer = status === 'answered' && (await this.#options.feeds.answer(this.#ownerOf(opened), request))
    const writer = this.#begin(status)
    if (answer !== false) writeLinkAnswer(writer, answer)
    return opened.seal(writer)
  }

  #ownerOf({ hop: { fromMemberId: memberId } }: OpenedRequest): LinkOwner {
    return { memberId, isMember: this.#members.has(memberId) }
  }

  #statusOf({ hop }: OpenedRequest): HopAnswer['status'] {
    if (this.#view === undefined) return 'joining'
    return hop.memberId === this.#view.memberId ? 'answered' : 'elsewhere'
  }

  /** Operations are read one after the other until one has to wait: then the rest waits beside it, some at a time. */
  #answerAll(operations: readonly PeerOperation[], { hop }: OpenedRequest): Result[] | Promise<Result[]> {
    const { store } = this.#options
    const results: Result[] = []
    let bytes = 0
    for (const [index, operation] of operations.entries()) {
      if (bytes > this.#answerBytes) {
        results.push(full)
        continue
      }
      const result = answerOperation(store, operation, hop)
      if (result instanceof Promise) return this.#answerRest(results, bytes, result, operations.slice(index + 1), hop)
      bytes += sizeOf(result)
      results.push(bytes > this.#answerBytes && index > 0 ? full : result)
    }
    return results
  }

  async #answerRest(
    results: Result[],
    before: number,
    coming: Promise<Result>,
    rest: readonly PeerOperation[],
    hop: OpenedRequest['hop'],
  ): Promise<Result[]> {
    let bytes = before
    const add = (result: Result) => {
      bytes += sizeOf(result)
      results.push(bytes > this.#answerBytes && results.length > 0 ? full : result)
    }
    const answer = (one: PeerOperation) => answerOperation(this.#options.store, one, hop)
    for (const result of await Promise.all([coming, ...rest.slice(0, waitingMax).map(answer)])) add(result)
    for (let at = waitingMax; at < rest.length; at += waitingMax) {
      const some = rest.slice(at, at + waitingMax)
      for (const result of bytes > this.#answerBytes ? some.map(() => full) : await Promise.all(some.map(answer))) {
        add(result)
      }
    }
    return results
  }

  #seal(opened: OpenedRequest, status: HopAnswer['status'], results: readonly Result[]): Bytes {
    const writer = this.#begin(status)
    for (const result of results) writeResult(writer, result)
    return opened.seal(writer)
  }

  #begin(status: HopAnswer['status']): HopWriter {
    const { memberId = '', generation = -1 } = this.#view ?? {}
    const { partitionCount } = this.#options.store.copies
    return this.#options.key.beginAnswer({ status, memberId, instanceId: this.#instanceId, generation, partitionCount })
  }
}

const full: Result = {
  type: 'failed',
  error: new LatchkeyError('answer_full', 'Reading for another instance: the answer is full. Ask for this key again'),
}

function sizeOf(result: Result): number {
  switch (result.type) {
    case 'found':
      return result.lookup.value.length + (result.lookup.headerBlock?.length ?? 0)
    case 'many':
      return result.results.reduce((sum, one) => sum + sizeOf(one), 0)
    case 'chunk':
      return result.chunk.entries.reduce((sum, { key, value }) => sum + key.length + value.length, 0)
    default:
      return 0
  }
}
