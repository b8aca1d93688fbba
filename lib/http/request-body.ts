/** The body of a request, read within bounds of size and time. */
import { deadline } from '../deadline.ts'
import { LatchkeyError } from '../errors.ts'
import type { RequestHead } from './request-head.ts'

/** As long as a head may take. */
const waitMs = 10_000

const jsonType = /^application\/(?:[\w!#$&^.+-]+\+)?json\s*(?:;|$)/i

/**
 * @returns bytes at once if they have arrived, else a promise
 * @throws LatchkeyError unsupported_media_type, body_too_large, body_timed_out, malformed_request; also as a rejection
 */
export function readJsonBody(request: RequestHead, bytesMax: number): Uint8Array | Promise<Uint8Array> {
  const contentType = request.headers.get('content-type')
  if (contentType === null || !jsonType.test(contentType)) {
    const found = contentType === null ? 'the request has no Content-Type' : 'its Content-Type is not JSON'
    const message = `Reading the body: ${found}; send "Content-Type: application/json"`
    throw new LatchkeyError('unsupported_media_type', message)
  }
  return readBody(request, bytesMax)
}

/** As readJsonBody, without its check of the type. */
export function readBody({ headers, body }: RequestHead, bytesMax: number): Uint8Array | Promise<Uint8Array> {
  if (body instanceof Uint8Array) return body
  if (Number(headers.get('content-length')) > bytesMax) throw bodyTooLarge(bytesMax)
  return body ? collect(body, bytesMax) : new Uint8Array()
}

/** The part of a ReadableStreamDefaultReader on which the types of Bun and of Node agree. */
interface BodyReader {
  read(): Promise<{ done: boolean; value?: Uint8Array | undefined }>
}

export function bodyTooLarge(bytesMax: number): LatchkeyError {
  const message = `Reading the body: it is longer than ${bytesMax} bytes; ask in several requests`
  return new LatchkeyError('body_too_large', message, { details: { bytesMax } })
}

async function collect(body: ReadableStream<Uint8Array>, bytesMax: number): Promise<Uint8Array> {
  const reader = body.getReader()
  try {
    return await deadline(readAll(reader, bytesMax), waitMs, () => {
      const message = `Reading the body: not all of it has arrived within ${waitMs / 1000} s; send it at once`
      throw new LatchkeyError('body_timed_out', message)
    })
  } catch (thrown) {
    reader.cancel().catch(() => {})
    throw thrown
  }
}

async function readAll(reader: BodyReader, bytesMax: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let length = 0
  for (;;) {
    const { done, value } = await reader.read().catch(cut)
    if (done || value === undefined) return Buffer.concat(chunks)
    length += value.length
    if (length > bytesMax) throw bodyTooLarge(bytesMax)
    chunks.push(value)
  }
}

/** Bun's server has refused the rest, or the client has gone. */
function cut(cause: unknown): never {
  throw new LatchkeyError('malformed_request', 'Reading the body: it ended early; send all of it', { cause })
}
