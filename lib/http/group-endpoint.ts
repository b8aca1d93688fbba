/**
 * `POST /group/<id>/read`, `/probe` and `/feeds`: what instances of a group ask each other. They come without the token, which is
 * never sent to another instance: lib/routing checks their signatures.
 */
import { LatchkeyError } from '../errors.ts'
import { type GroupRequests, type HopKind, wireType } from '../routing/index.ts'
import type { Answer } from './answer.ts'
import { BytesAnswer } from './bytes-answer.ts'
import { bodyBytesMax } from './key-list.ts'
import { problemResponse } from './problem.ts'
import { readBody } from './request-body.ts'
import type { RequestHead } from './request-head.ts'
import { noSniff } from './responses.ts'
import { checkStoreId } from './store-id.ts'

const prefix = '/group/'
const answerHeaders = { 'Content-Type': wireType, 'Cache-Control': 'no-store', ...noSniff }
const paths = /^\/group\/([^/?]+)\/(read|probe|feeds)$/

/** Whether a request is one of another instance. Its body is read. */
export function isGroupRequest(method: string, target: string): boolean {
  return method === 'POST' && target.startsWith(prefix) && paths.test(target)
}

export class GroupEndpoint {
  readonly #storeId: string
  readonly #requests: Pick<GroupRequests, 'answer'>

  constructor(storeId: string, requests: Pick<GroupRequests, 'answer'>) {
    this.#storeId = storeId
    this.#requests = requests
  }

  /** @param target for which isGroupRequest holds */
  handle(request: RequestHead, target: string): Answer | Promise<Answer> {
    try {
      const [, id = '', kind = ''] = paths.exec(target) ?? []
      checkStoreId(id, this.#storeId)
      // Pages of other sites cannot send this type without asking first.
      if (request.headers.get('content-type') !== wireType) throw notOfAnInstance()
      const body = readBody(request, bodyBytesMax)
      if (body instanceof Promise) return this.#answerLater(kind as HopKind, body)
      const answer = this.#requests.answer(kind as HopKind, body)
      return answer instanceof Promise ? answer.then(bytesAnswer).catch(refused) : bytesAnswer(answer)
    } catch (thrown) {
      return refused(thrown)
    }
  }

  async #answerLater(kind: HopKind, body: Promise<Uint8Array>): Promise<Answer> {
    try {
      return bytesAnswer(await this.#requests.answer(kind, await body))
    } catch (thrown) {
      return refused(thrown)
    }
  }
}

function bytesAnswer(bytes: Uint8Array<ArrayBuffer>): Answer {
  return new BytesAnswer(bytes, answerHeaders)
}

/** The rest of a body may still arrive, which must not be taken for a request. */
function refused(thrown: unknown): Response {
  return problemResponse(thrown, { connection: 'close' })
}

function notOfAnInstance(): LatchkeyError {
  const message = 'Reading the request: this path is for other instances of the group; use GET /stores/<id>/<key>'
  return new LatchkeyError('unsupported_media_type', message)
}
