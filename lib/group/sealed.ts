/**
 * What members and their leader send through the coordinator: compressed, and signed where there is a token. READ on
 * the group, a weak right, is enough to join it; a member without the token must get no lookups and no partitions.
 *
 * Layout: one byte (0 unsigned, 1 signed), 32 bytes of HMAC-SHA-256 if signed, JSON in raw deflate.
 */
import { createHmac, timingSafeEqual } from 'node:crypto'
import { deflateRawSync, inflateRawSync } from 'node:zlib'
import * as v from 'valibot'
import { messageOf } from '../errors.ts'

const unsigned = 0
const signed = 1
const macBytes = 32
/** Of the JSON, so that a small message cannot fill the memory. */
const jsonBytesMax = 16_777_216

/** Content, or why there is none: a message that cannot be read is a fact about its sender, not an error here. */
export type Unsealed<T> = { value: T; reason?: never } | { value?: never; reason: string }

/** What a signature holds beside the content, so that it counts nowhere else. */
export interface SealPurpose {
  kind: 'member' | 'plan'
  group: string
  /** Of a plan. */
  generation?: number
}

export function seal(purpose: SealPurpose, token: string | undefined, content: unknown): Buffer {
  const payload = deflateRawSync(JSON.stringify(content), { level: 9 })
  if (token === undefined) return Buffer.concat([Buffer.of(unsigned), payload])
  return Buffer.concat([Buffer.of(signed), macOf(purpose, token, payload), payload])
}

/** Reads content that a schema describes. Fields that the schema does not have are ignored: a later version has more. */
export function open<Schema extends v.GenericSchema>(
  purpose: SealPurpose,
  token: string | undefined,
  bytes: Buffer,
  schema: Schema,
): Unsealed<v.InferOutput<Schema>> {
  const form = bytes[0]
  if (form !== unsigned && form !== signed) return { reason: 'not data of a Latchkey store' }
  if (form === signed && token === undefined) {
    return { reason: 'signed with a SERVER_TOKEN, and this instance has none' }
  }
  if (form === unsigned && token !== undefined) return { reason: 'not signed: it has no SERVER_TOKEN' }
  const payload = bytes.subarray(form === signed ? 1 + macBytes : 1)
  if (token !== undefined) {
    const mac = bytes.subarray(1, 1 + macBytes)
    const isOwn = mac.length === macBytes && timingSafeEqual(mac, macOf(purpose, token, payload))
    if (!isOwn) return { reason: 'signed with another SERVER_TOKEN' }
  }
  try {
    const json: unknown = JSON.parse(inflateRawSync(payload, { maxOutputLength: jsonBytesMax }).toString())
    const parsed = v.safeParse(schema, json, { abortEarly: true })
    if (parsed.success) return { value: parsed.output }
    return { reason: `not readable: ${v.getDotPath(parsed.issues[0]) ?? 'it'} is not as expected` }
  } catch (error) {
    return { reason: `not readable: ${messageOf(error)}` }
  }
}

function macOf({ kind, group, generation = 0 }: SealPurpose, token: string, payload: Buffer): Buffer {
  const mac = createHmac('sha256', token)
  mac.update(JSON.stringify(['latchkey', kind, group, generation]))
  return mac.update(payload).digest()
}
