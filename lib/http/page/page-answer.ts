/**
 * `GET /`: a page for a browser, text for a terminal, and the id of the store as JSON, which the script of the page asks
 * for. With a token the page is the same for everybody and holds nothing of the store.
 */
import type { StoreStatus } from '../../store-protocol/status.ts'
import { negotiate } from '../accept.ts'
import { indexPage } from '../index-page.ts'
import type { RequestHead, RequestHeaders } from '../request-head.ts'
import { jsonResponse, textResponse } from '../responses.ts'
import { pageText } from './page-text.ts'

type IndexForm = 'text' | 'html' | 'json'

/** In order of preference: a client without a wish is at a terminal. */
const mediaTypes: readonly (readonly [IndexForm, string])[] = [
  ['text', 'text/plain'],
  ['html', 'text/html'],
  ['json', 'application/json'],
]

const pagePath = /^\/(?:\?|$)/

/** The browser refuses everything that is not listed: other scripts, other hosts, and frames of other pages. */
const policy = [
  "default-src 'none'",
  `script-src ${sourcesOf(pageText.scriptHashes)}`,
  `style-src ${sourcesOf(pageText.styleHashes)}`,
  "connect-src 'self'",
  'img-src data:',
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

/** Whether a request is one for the page, which needs no token. */
export function isPage({ method, headers }: RequestHead, target: string): boolean {
  return pagePath.test(target) && (method === 'GET' || method === 'HEAD') && formFor(headers) === 'html'
}

export interface IndexOptions {
  /** Before all paths; may be empty. */
  readonly prefix: string
  readonly hasToken: boolean
}

export function indexAnswer(headers: RequestHeaders, status: StoreStatus, options: IndexOptions): Response {
  const response = answerAs(formFor(headers), status, options)
  response.headers.append('Vary', 'Accept')
  return response
}

function answerAs(form: IndexForm, status: StoreStatus, { prefix, hasToken }: IndexOptions): Response {
  if (form === 'json') return jsonResponse({ id: status.id, state: status.state })
  if (form === 'text') return textResponse(indexPage(status, prefix))
  const facts = hasToken
    ? '<p>This store is read with a token. With JavaScript, this page asks for it.</p>'
    : `<pre>${escaped(indexPage(status, prefix))}</pre>`
  const response = textResponse(`${pageText.head}${facts}${pageText.tail}`, 200, 'text/html; charset=utf-8')
  response.headers.set('Content-Security-Policy', policy)
  response.headers.set('Referrer-Policy', 'no-referrer')
  return response
}

function formFor(headers: RequestHeaders): IndexForm {
  return negotiate(headers.get('accept'), mediaTypes) ?? 'text'
}

function sourcesOf(hashes: readonly string[]): string {
  return hashes.map((hash) => `'${hash}'`).join(' ')
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')
}
