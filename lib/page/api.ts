/** Requests to the store that serves this page, with the token, which stays in memory. */
import { EventStreamParser, type StreamEvent } from './event-stream.ts'

/** An answer other than 2xx. */
export class ServerRefusal extends Error {
  readonly status: number
  readonly code: string
  readonly title: string

  constructor(status: number, text: string) {
    let problem: { code?: string; title?: string; detail?: string } = {}
    try {
      problem = JSON.parse(text)
    } catch {
      // Of a proxy before the store.
    }
    const { code = '', title = `Status ${status}`, detail = text.slice(0, 500) } = problem
    super(detail)
    this.status = status
    this.code = code
    this.title = title
  }
}

/** Longest silence of a stream. The server sends something at least every five seconds. */
const silenceMs = 12_000

export class Api {
  /** Of the server, with the prefix of its paths; no slash at the end. */
  readonly url: string
  /** Of the store; empty before the server has named it. */
  id = ''
  token = ''

  constructor(url: string) {
    this.url = url
  }

  /** @throws ServerRefusal */
  async identify(signal: AbortSignal): Promise<void> {
    const response = await this.get('/', signal, 'application/json')
    this.id = ((await response.json()) as { id: string }).id
  }

  /** Returns a path below `/<kind>/<id>`. */
  pathOf(kind: string, rest = ''): string {
    return `/${kind}/${encodeURIComponent(this.id)}${rest}`
  }

  /**
   * @param path and query
   * @throws ServerRefusal, for every status except 2xx
   */
  async get(path: string, signal: AbortSignal, accept = '*/*'): Promise<Response> {
    const headers = { accept, ...(this.token && { authorization: `Bearer ${this.token}` }) }
    const response = await fetch(this.url + path, { headers, signal, cache: 'no-store' })
    if (!response.ok) throw new ServerRefusal(response.status, await response.text())
    return response
  }

  /** Reads server-sent events until the stream ends. @param take returns false to end it */
  async stream(path: string, signal: AbortSignal, opened: () => void, take: (events: StreamEvent[]) => boolean) {
    const end = new AbortController()
    const silent = () => end.abort(new Error('the server sends nothing'))
    let timer = setTimeout(silent, silenceMs)
    try {
      const response = await this.get(path, AbortSignal.any([signal, end.signal]), 'text/event-stream')
      opened()
      const parser = new EventStreamParser()
      const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader()
      for (let read = await reader.read(); !read.done; read = await reader.read()) {
        clearTimeout(timer)
        timer = setTimeout(silent, silenceMs)
        if (!take(parser.push(read.value))) return
      }
    } finally {
      clearTimeout(timer)
      end.abort()
    }
    throw new Error('the server has ended the stream')
  }
}

/** Everything that is thrown here is an Error. */
export function messageOf(error: unknown): string {
  return (error as Error).message
}
