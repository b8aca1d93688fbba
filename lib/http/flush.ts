/** POST /flush-store/<id>. */
import { deadline } from '../deadline.ts'
import { LatchkeyError } from '../errors.ts'
import type { RequestHeaders } from './request-head.ts'
import { jsonResponse } from './responses.ts'
import type { StoreView } from './store-view.ts'

/**
 * Flushes the store. Answers with the number of operations made visible.
 *
 * @throws LatchkeyError flush_timed_out after waitMs; the flush continues
 */
export async function flush(store: StoreView, waitMs: number): Promise<Response> {
  const operations = await deadline(store.flush(), waitMs, () => {
    const message = `Flushing ${store.id}: not done within ${waitMs / 1000} s; it continues, ask again`
    throw new LatchkeyError('flush_timed_out', message)
  })
  return jsonResponse({ operations })
}

/**
 * Refuses a request that a page of another site makes a browser send. Current browsers say so in Sec-Fetch-Site. Older
 * ones send Origin, which is compared with Host. Other clients send neither.
 *
 * @throws LatchkeyError cross_site_refused
 */
export function refuseCrossSite(headers: RequestHeaders): void {
  const site = headers.get('sec-fetch-site')
  const origin = headers.get('origin')
  const isOwn = site === null ? origin === null || hostOf(origin) === headers.get('host') : isOwnSite(site)
  if (isOwn) return
  throw new LatchkeyError(
    'cross_site_refused',
    'Flushing: the request comes from a page of another site, and is refused',
  )
}

function isOwnSite(site: string): boolean {
  return site === 'same-origin' || site === 'none'
}

function hostOf(origin: string): string | undefined {
  return URL.canParse(origin) ? new URL(origin).host : undefined
}
