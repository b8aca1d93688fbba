/** The first lines that a person sees: URLs to open, and commands that work as they stand. */
import type { TokenPlace } from '../config/secrets.ts'
import type { Presentation } from '../definition/presentation.ts'
import { lookupUrl } from './lookup-url.ts'

const samplePollMs = 250

export interface BannerOptions {
  version: string
  topic: string
  /** Of the server, without a slash at the end. */
  url: string
  hasToken: boolean
  /** Absent where the token is in the environment. */
  tokenPlace?: TokenPlace | undefined
}

/** What the banner needs of a store. */
export interface SampledStore {
  readonly id: string
  readonly state: string
  readonly presentation: Pick<Presentation, 'keyText'>
  /** A key that it holds, once it runs and holds any. */
  sampleKey(): Uint8Array | undefined
}

/**
 * Prints what can be opened at once, and a lookup that finds something as soon as there is something to find. The token is not shown.
 * @returns ends the wait for that
 */
export function printBanner(
  store: SampledStore,
  { version, topic, url, hasToken, tokenPlace }: BannerOptions,
  print: (line: string) => void,
): () => void {
  const token = tokenPlace?.isFile ? `$(cat ${shellQuote(tokenPlace.where)})` : '$SERVER_TOKEN'
  const curl = hasToken ? `curl -H "Authorization: Bearer ${token}"` : 'curl'
  print(`Latchkey ${version}: store ${store.id} of topic ${topic}`)
  print(`  ${url}/`)
  if (tokenPlace?.isFile === false)
    print(`  Set SERVER_TOKEN in your shell first; its value is that of ${tokenPlace.where}`)
  print(`  ${curl} '${url}/status-store/${store.id}?pretty'`)
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

/** Undefined where the key is none of the store's format, or its schema is not to be had: a lookup would tell that, and better. */
async function sampleUrl(store: SampledStore, url: string, key: Uint8Array): Promise<string | undefined> {
  try {
    return lookupUrl(url, store.id, await store.presentation.keyText(key))
  } catch {
    return undefined
  }
}

function shellQuote(path: string): string {
  return `'${path.replaceAll("'", String.raw`'\''`)}'`
}
