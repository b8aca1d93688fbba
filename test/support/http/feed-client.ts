/** Follows changes over HTTP, until it is disposed of. */
import { soon } from '../until.ts'
import { EventStream } from './event-stream.ts'

export class FeedClient implements AsyncDisposable {
  readonly response: Response
  /** All text received. */
  text = ''
  readonly stream = new EventStream()
  /** How the body has ended; undefined while it has not. */
  end: 'whole' | 'cut' | undefined
  readonly #abort: AbortController

  /** Resolves when the head of the response has arrived. */
  static async open(url: string, headers: Record<string, string> = {}): Promise<FeedClient> {
    const abort = new AbortController()
    const asked = fetch(url, { headers, signal: abort.signal, tls: { rejectUnauthorized: false } })
    return new FeedClient(await soon('the head of a stream', asked), abort)
  }

  private constructor(response: Response, abort: AbortController) {
    this.response = response
    this.#abort = abort
    void this.#read()
  }

  /** Lines of NDJSON, parsed. */
  get lines(): Record<string, unknown>[] {
    const whole = this.text.slice(0, this.text.lastIndexOf('\n') + 1)
    return whole
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Record<string, unknown>)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#abort.abort()
  }

  async #read(): Promise<void> {
    const decoder = new TextDecoder()
    try {
      for await (const bytes of this.response.body!) {
        const text = decoder.decode(bytes, { stream: true })
        this.text += text
        this.stream.add(text)
      }
      this.end = 'whole'
    } catch {
      this.end = 'cut'
    }
  }
}
