/** A key as the page has it: text, or bytes that are not text, as base64. Commands for a terminal that look it up. */
import { hexByte } from './reading.ts'

export type ShownKey = string | { readonly base64: string }

/** Percent-encoded, for a path or a query. */
export function encodedKey(key: ShownKey): string {
  if (typeof key === 'string') return encodeURIComponent(key.toWellFormed())
  return [...atob(key.base64)].map((byte) => `%${hexByte(byte.charCodeAt(0))}`).join('')
}

/** As text, to show. */
export function keyText(key: ShownKey): string {
  return typeof key === 'string' ? key : `base64:${key.base64}`
}

export interface CommandPlace {
  /** Such as `http://localhost:8080/prefix`. */
  readonly url: string
  readonly id: string
  readonly needsToken: boolean
  /** Port of the Redis protocol; null if it is not served. */
  readonly respPort: number | null
}

export function curlLine(key: ShownKey, { url, id, needsToken }: CommandPlace): string {
  const token = needsToken ? '-H "Authorization: Bearer $TOKEN" ' : ''
  // In a path, clients normalise some keys, such as "..".
  return `curl ${token}${quoted(`${url}/stores/${id}?key=${encodedKey(key)}`)}`
}

/** Undefined without a port for Redis clients, and for a key with zero bytes, which no command line can have. */
export function redisLine(key: ShownKey, { url, needsToken, respPort }: CommandPlace): string | undefined {
  const text = typeof key === 'string' ? key : atob(key.base64)
  if (respPort === null || text.includes('\0')) return undefined
  const { hostname, protocol } = new URL(url)
  const token = needsToken ? 'REDISCLI_AUTH="$TOKEN" ' : ''
  const tls = protocol === 'https:' ? '--tls ' : ''
  const word = typeof key === 'string' ? quoted(text) : quoted(text, /[^ -&(-[\]-~]/g)
  return `${token}redis-cli ${tls}-h ${hostname.replaceAll(/[[\]]/g, '')} -p ${respPort} GET ${word}`
}

/**
 * Returns one word for a shell. What a terminal would act on, or not show, is escaped by its bytes, which Bash, Zsh and
 * POSIX shells of 2024 read in $'…'.
 */
function quoted(text: string, special = /['\\]|[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu): string {
  const escaped = text.toWellFormed().replaceAll(special, (character) => {
    const bytes = special.unicode ? [...new TextEncoder().encode(character)] : [character.charCodeAt(0)]
    return bytes.map((byte) => `\\x${hexByte(byte)}`).join('')
  })
  return `${escaped === text ? '' : '$'}'${escaped}'`
}
