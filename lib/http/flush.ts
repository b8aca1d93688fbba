/** POST /flush-store/<id>. */
import { LatchkeyError } from '../errors.ts'
import type { RequestHeaders } from './asking.ts'
import { jsonResponse } from './responses.ts'
import type { StoreView } from './store-view.ts'

/**
 * Flushes and answers with the number of operations made visible.
 * @throws LatchkeyError flush_timed_out when it takes longer than waitMs; the flush itself goes on
 */
export async function flush(store: StoreView, waitMs: number): Promise<Response> {
  let timer: Timer | undefined
  const timedOut = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      const message = `Flushing ${store.id}: not done within ${waitMs / 1000} s; it goes on, ask again`
      reject(new LatchkeyError('flush_timed_out', message))
    }, waitMs)
  })
  try {
    return jsonResponse({ operations: await Promise.race([store.flush(), timedOut]) })
  } finally {
    clearTimeout(timer)
  }
}

/**
 * Refuses what a page of another site makes a browser send. Browsers of today say so in Sec-Fetch-Site; of older ones the Origin is
 * held against the Host. Other clients send neither.
 * @throws LatchkeyError
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
