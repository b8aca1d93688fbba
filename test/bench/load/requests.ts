/** What a load asks for, each request of random keys `user-<n>`: the same as lookups.lua, for sockets.ts. */

/** One key in the path, or many in the query or in the body of one request. */
export const loadForms = ['single', 'keys', 'query'] as const
export type LoadForm = (typeof loadForms)[number]

/** Keys of one request for many. */
export const keysEach = 100

export interface Asking {
  form: LoadForm
  /** Path of a key's lookup, without the key. */
  lookupPath: string
  hostname: string
  /** Of the server; none if empty. */
  token?: string | undefined
  /** Of a random key that exists. */
  randomId(): number
}

export function keysOf(form: LoadForm): number {
  return form === 'single' ? 1 : keysEach
}

export function requestOf({ form, lookupPath, hostname, token = '', randomId }: Asking): string {
  const keys = Array.from({ length: keysOf(form) }, () => `user-${randomId()}`)
  const collection = lookupPath.slice(0, -1)
  const authorization = token === '' ? '' : `Authorization: Bearer ${token}\r\n`
  const host = ` HTTP/1.1\r\nHost: ${hostname}\r\n${authorization}`
  if (form === 'single') return `GET ${lookupPath}${keys[0]}${host}\r\n`
  if (form === 'keys') return `GET ${collection}?${keys.map((key) => `keys=${key}`).join('&')}${host}\r\n`
  const body = JSON.stringify({ keys })
  return `QUERY ${collection}${host}Content-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`
}
