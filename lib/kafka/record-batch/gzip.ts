/**
 * gzip by zlib, and where that refuses it, as Java's GZIPInputStream reads it: bytes behind the last member that are no member are ignored.
 * zlib under Bun refuses them; a batch that every Java consumer reads must not be lost for that.
 */
import { crc32, gunzipSync, inflateRawSync } from 'node:zlib'
import { isTooLarge, tooLarge } from './output-buffer.ts'

const headerBytes = 10
const trailerBytes = 8 // CRC32 and length of the content
const extraFlag = 0x04
const nameFlag = 0x08
const commentFlag = 0x10
const headerCrcFlag = 0x02

/** Throws an Error that says what is wrong, also where the content exceeds `maxBytes`. */
export function gunzip(bytes: Buffer, maxBytes: number, chunkBytes: number): Buffer {
  const options = { maxOutputLength: maxBytes, chunkSize: chunkBytes }
  try {
    return gunzipSync(bytes, options)
  } catch (cause) {
    if (isTooLarge(cause)) throw tooLarge(maxBytes)
    const end = endOfMembers(bytes, options)
    if (end === 0 || end === bytes.length) throw cause
    return gunzipSync(bytes.subarray(0, end), options)
  }
}

/** Where the members end that are whole; 0 where the first one is not. */
export function endOfMembers(bytes: Buffer, options: { maxOutputLength: number; chunkSize: number }): number {
  let end = 0
  try {
    for (let start = contentStart(bytes, 0); start > 0; start = contentStart(bytes, end)) {
      const inflated = inflateRawSync(bytes.subarray(start), { ...options, info: true }) as unknown as Inflated
      const trailerAt = start + inflated.engine.bytesWritten
      if (bytes.length - trailerAt < trailerBytes || bytes.readUInt32LE(trailerAt) !== crc32(inflated.buffer))
        return end
      end = trailerAt + trailerBytes
    }
  } catch {
    // What follows is no member.
  }
  return end
}

interface Inflated {
  buffer: Buffer
  /** Bytes of the input that were used. */
  engine: { bytesWritten: number }
}

/** Where the content of the member at `at` begins; 0 where there is no member. RFC 1952. */
function contentStart(bytes: Buffer, at: number): number {
  if (bytes.length - at < headerBytes || bytes.readUInt16BE(at) !== 0x1f8b || bytes[at + 2] !== 8) return 0
  const flags = bytes[at + 3]!
  let start = at + headerBytes
  if (flags & extraFlag) start += 2 + (start + 2 <= bytes.length ? bytes.readUInt16LE(start) : bytes.length)
  if (flags & nameFlag) start = bytes.indexOf(0, start) + 1 || bytes.length
  if (flags & commentFlag) start = bytes.indexOf(0, start) + 1 || bytes.length
  if (flags & headerCrcFlag) start += 2
  return start < bytes.length ? start : 0
}
