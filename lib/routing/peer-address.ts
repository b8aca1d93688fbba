/** Where a peer is reached: its URL, as a connection needs it. */

export interface PeerAddress {
  readonly hostname: string
  readonly port: number
  readonly isTls: boolean
  /** Value of the Host header. */
  readonly host: string
  /** Before all paths; may be empty. */
  readonly prefix: string
}

/** Returns undefined for what is not a URL of HTTP. */
export function addressOf(url: string): PeerAddress | undefined {
  const parsed = URL.parse(url)
  if (parsed === null || (parsed.protocol !== 'http:' && parsed.protocol !== 'https:')) return undefined
  const isTls = parsed.protocol === 'https:'
  return {
    hostname: parsed.hostname.replace(/^\[|\]$/g, ''),
    port: Number(parsed.port || (isTls ? 443 : 80)),
    isTls,
    host: parsed.host,
    prefix: parsed.pathname.replace(/\/+$/, ''),
  }
}
