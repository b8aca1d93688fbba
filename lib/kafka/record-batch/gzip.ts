/**
 * gzip by zlib. If zlib refuses the data, it is read as Java's GZIPInputStream does: bytes after the last member that
 * are not a member are ignored. zlib under Bun refuses such bytes, but a batch that every Java consumer reads must
 * not be lost.
 */
import { crc32, gunzipSync, inflateRawSync } from 'node:zlib'
import { isTooLarge, tooLarge } from './output-buffer.ts'

const headerBytes = 10
const trailerBytes = 8 // CRC32 and length of the content
const extraFlag = 0x04
const nameFlag = 0x08
const commentFlag = 0x10
const headerCrcFlag = 0x02

/** Throws an Error that says what is wrong, for example that the content exceeds `maxBytes`. */
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

/** Returns the end of the complete members, or 0 if the first one is not complete. */
export function endOfMembers(bytes: Buffer, options: { maxOutputLength: number; chunkSize: number }): number {
  let end = 0
  try {
    for (let start = contentStart(bytes, 0); start > 0; start = contentStart(bytes, end)) {
      const inflated = inflateRawSync(bytes.subarray(start), { ...options, info: true }) as unknown as Inflated
      const trailerAt = start + inflated.engine.bytesWritten
      if (bytes.length - trailerAt < trailerBytes || bytes.readUInt32LE(trailerAt) !== crc32(inflated.buffer)) {
        return end
      }
      end = trailerAt + trailerBytes
    }
  } catch {
    // The next bytes are not a member.
  }
  return end
}

interface Inflated {
  buffer: Buffer
  /** Bytes of the input that were used. */
  engine: { bytesWritten: number }
}

/** Returns the start of the content of the member at `at`, or 0 if there is no member. See RFC 1952. */
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
