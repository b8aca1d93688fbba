/** Writes responses of the fast path: head and body together if they fit into one buffer. */
import type { WrittenAnswer } from '../../http/answer.ts'
import { releaseLarge, releaseResponse } from '../../http/response-memory.ts'
import { headOf, linesOf, type ResponseContext } from './head.ts'
import type { WriteBuffer } from './write-buffer.ts'

const encoder = new TextEncoder()
const lineEnd = '\r\n'
/** Pieces of streams are made across turns, so a collection of young garbage does not free them: there are more of them. */
const ownPieceMin = 4_096
/** Buffer for a response whose head and body fit: it is sent at once. All responses share it: no response waits in it. */
const page = Buffer.alloc(65_536)

/** @returns size of the body */
export function writeAnswer(to: WriteBuffer, answer: WrittenAnswer, context: ResponseContext): number {
  const body = typeof answer.body === 'string' ? encoder.encode(answer.body) : answer.body
  const isWhole = answer.status === 200
  const head = headOf(answer.status, answer.headerLines(), isWhole ? body.length : undefined, context)
  if (isWhole) return write(to, head, body)
  // A client may send thousands of such requests at once: the collector would get the memory of as many values.
  releaseLarge(body)
  return write(to, head, undefined)
}

/**
 * @param body of the response, with memory that no one else uses
 * @returns size of the body
 */
export function writeResponse(to: WriteBuffer, response: Response, body: Uint8Array, context: ResponseContext): number {
  return write(to, headOf(response.status, linesOf(response.headers), body.length, context), body)
}

/** @param text of characters that are bytes */
export function writeText(to: WriteBuffer, text: string): void {
  to.sendFrom(page, page.write(text, 'latin1'))
}

/** @param piece with memory that no one else uses */
export function writeChunk(to: WriteBuffer, piece: Uint8Array): void {
  const sizeLength = page.write(`${piece.length.toString(16)}\r\n`, 'latin1')
  const length = sizeLength + piece.length + lineEnd.length
  if (length <= page.length) {
    page.set(piece, sizeLength)
    page.write(lineEnd, sizeLength + piece.length, 'latin1')
    if (piece.length >= ownPieceMin) releaseResponse(piece)
    to.sendFrom(page, length)
    return
  }
  to.sendFrom(page, sizeLength)
  to.sendOwn(piece)
  writeText(to, lineEnd)
}

function write(to: WriteBuffer, head: string, body: Uint8Array | undefined): number {
  const headLength = page.write(head, 'latin1')
  const length = headLength + (body?.length ?? 0)
  if (length <= page.length) {
    if (body) page.set(body, headLength)
    to.sendFrom(page, length)
  } else {
    to.sendFrom(page, headLength)
    if (body) to.sendOwn(body)
  }
  return body?.length ?? 0
}
