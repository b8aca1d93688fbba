import type { OrderBook } from './orders.ts'

/** A request to try: printed as a curl line, or sent and its answer checked. */
export interface DemoRequest {
  title: string
  method: 'GET' | 'POST'
  url: string
  headers: Record<string, string>
  status: number
  /** Throws where the body of the answer is not what it should be. */
  checkBody: (body: string) => void
}

const anything = (): void => {}

/** @param etag of the first delivered web order, as the instance gave it */
export function demoRequests(base: string, storeId: string, book: OrderBook, etag: string): DemoRequest[] {
  const value = (key: string) => ({ url: urlOf(base, storeId, key), checkBody: is(book.latest.get(key)) })
  const [plain = ''] = book.delivered('web')
  const [slashed = ''] = book.delivered('marketplace')
  const [spaced = ''] = book.delivered('shop')
  const gone = urlOf(base, storeId, book.cancelled[0] ?? '')
  const get = { method: 'GET' as const, headers: {}, status: 200, checkBody: anything }
  const missing = { status: 404, checkBody: has('"code":"key_not_found"') }
  return [
    { ...get, title: 'What there is; a browser shows a page there', url: `${base}/`, checkBody: has(storeId) },
    { ...get, title: 'An order by its key', ...value(plain) },
    { ...get, title: 'A key with a slash', ...value(slashed) },
    { ...get, title: 'A key with spaces', ...value(spaced) },
    { ...get, title: 'A key that does not exist', url: urlOf(base, storeId, 'no-such-order'), ...missing },
    { ...get, title: 'An order that was cancelled, hence deleted', url: gone, ...missing },
    {
      ...get,
      title: 'The first order again, for a client that has it already',
      url: urlOf(base, storeId, plain),
      headers: { 'If-None-Match': etag },
      status: 304,
      checkBody: is(''),
    },
    {
      ...get,
      title: 'Several orders in one answer',
      url: `${base}/stores/${storeId}?${[plain, slashed].map((key) => `keys=${encodeURIComponent(key)}`).join('&')}`,
      checkBody: matches(/^\{"epoch":\d+,"entries":\[\{"key":.*\},\{"key":.*\}\],"missing":\[\]\}\n$/),
    },
    {
      ...get,
      title: 'The first keys of all orders, and where the next page is',
      url: `${base}/stores/${storeId}?limit=5&fields=key`,
      checkBody: has('"next":"/stores/'),
    },
    {
      ...get,
      title: 'All orders, one a line',
      url: `${base}/stores/${storeId}`,
      headers: { Accept: 'application/x-ndjson' },
      checkBody: matches(/\n\{"end":true,"entries":\d+\}\n$/),
    },
    { ...get, title: 'How many there are', url: `${base}/stores/${storeId}?count`, checkBody: has('"count":') },
    {
      ...get,
      title: 'Make visible now what was written',
      method: 'POST',
      url: `${base}/flush-store/${storeId}`,
      checkBody: matches(/^\{"operations":\d+\}\n$/),
    },
    {
      ...get,
      title: 'How the store is',
      url: `${base}/status-store/${storeId}?pretty`,
      checkBody: has('"state": "running"'),
    },
    { ...get, title: 'Is it ready', url: `${base}/status/readiness`, checkBody: has('ready') },
    { ...get, title: 'Metrics', url: `${base}/metrics`, checkBody: has('latchkey_') },
  ]
}

/** The path is the key, byte for byte; a slash in it needs no escape. */
export function urlOf(base: string, storeId: string, key: string): string {
  return `${base}/stores/${storeId}/${key.split('/').map(encodeURIComponent).join('/')}`
}

/** A line for a shell. */
export function curlLine({ method, url, headers, status, title }: DemoRequest): string {
  const flags = Object.entries(headers).map(([name, value]) => ` -H '${name}: ${value}'`)
  if (method !== 'GET') flags.unshift(` -X ${method}`)
  if (status !== 200) flags.unshift(' -i')
  return `# ${title}\ncurl${flags.join('')} ${url.includes('?') ? `'${url}'` : url}`
}

/** Sends the request; rejects where the answer is not as promised. */
export async function check({ title, method, url, headers, status, checkBody }: DemoRequest): Promise<void> {
  const answer = await fetch(url, { method, headers })
  const body = await answer.text()
  if (answer.status !== status) throw new Error(`${title}: status ${answer.status} instead of ${status}: ${body}`)
  try {
    checkBody(body)
  } catch (error) {
    throw new Error(`${title}: ${(error as Error).message}`, { cause: error })
  }
}

function is(wanted: string | undefined): (body: string) => void {
  return (body) => {
    if (body !== wanted) throw new Error(`found ${body || 'nothing'} instead of ${wanted}`)
  }
}

function has(part: string): (body: string) => void {
  return (body) => {
    if (!body.includes(part)) throw new Error(`no ${part} in ${body}`)
  }
}

function matches(pattern: RegExp): (body: string) => void {
  return (body) => {
    if (!pattern.test(body)) throw new Error(`${body} is not like ${pattern}`)
  }
}
