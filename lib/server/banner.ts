/** The first lines that the executable prints: URLs to open, and commands that can be run as printed. */
import type { TokenPlace } from '../config/secrets.ts'
import type { Presentation } from '../definition/presentation.ts'
import { shellQuote } from '../text/shell-quote.ts'
import { lookupUrl } from './lookup-url.ts'

const samplePollMs = 250

export interface BannerOptions {
  version: string
  topic: string
  /** URL of the server, without a slash at the end. */
  url: string
  /** Port of the Redis protocol; absent if it is not served. */
  respPort?: number | undefined
  hasToken: boolean
  /** Absent if the token is in the environment. */
  tokenPlace?: TokenPlace | undefined
}

/** The part of a store that the banner uses. */
export interface SampledStore {
  readonly id: string
  readonly state: string
  readonly presentation: Pick<Presentation, 'keyText'>
  /** A key that the store holds. Undefined before it runs, or while it is empty. */
  sampleKey(): Uint8Array | undefined
}

/**
 * Prints URLs and commands. Adds a lookup that finds a value, as soon as the store holds one. Does not print the token.
 * @returns a function that stops the wait for a value
 */
export function printBanner(
  store: SampledStore,
  { version, topic, url, respPort, hasToken, tokenPlace }: BannerOptions,
  print: (line: string) => void,
): () => void {
  const token = tokenPlace?.isFile ? `$(cat ${shellQuote(tokenPlace.where)})` : '$SERVER_TOKEN'
  const curl = hasToken ? `curl -H "Authorization: Bearer ${token}"` : 'curl'
  print(`Latchkey ${version}: store ${store.id} of topic ${topic}`)
  print(`  ${url}/`)
  if (tokenPlace?.isFile === false) {
    print(`  Set SERVER_TOKEN in your shell first; its value is that of ${tokenPlace.where}`)
  }
  print(`  ${curl} '${url}/status-store/${store.id}?pretty'`)
  if (respPort !== undefined) {
    print(`  ${hasToken ? `REDISCLI_AUTH="${token}" ` : ''}redis-cli ${redisCliOptions(url, respPort)} scan 0`)
  }
  let isEnded = false
  const timer = setInterval(() => {
    const key = store.state === 'running' ? store.sampleKey() : undefined
    if (key === undefined) return
    clearInterval(timer)
    void sampleUrl(store, url, key).then((sample) => {
      if (sample !== undefined && !isEnded) print(`  ${curl} '${sample}'`)
    })
  }, samplePollMs)
  return () => {
    isEnded = true
    clearInterval(timer)
  }
}

/**
 * Returns the URL of a lookup. Undefined if the key does not fit the store's format, or if its schema is not available:
 * a lookup reports these better.
 */
async function sampleUrl(store: SampledStore, url: string, key: Uint8Array): Promise<string | undefined> {
  try {
    return lookupUrl(url, store.id, await store.presentation.keyText(key))
  } catch {
    return undefined
  }
}

/** Host, port and TLS as the URL of HTTP has them. */
function redisCliOptions(url: string, respPort: number): string {
  const { protocol, hostname } = new URL(url)
  const host = hostname === 'localhost' ? '' : `-h ${hostname.replaceAll(/[[\]]/g, '')} `
  return `${host}-p ${respPort}${protocol === 'https:' ? ' --tls' : ''}`
}
