/**
 * A process of curl that follows changes, and the fold of what it has received. It can be killed, and started again after
 * the last id.
 */
import { EventStream } from './event-stream.ts'

interface Change {
  readonly key: string
  readonly value?: unknown
  readonly partition: number
  readonly offset: number | null
}

export class FoldingClient implements AsyncDisposable {
  readonly form: 'sse' | 'ndjson'
  /** Value by key, as JSON. */
  readonly content = new Map<string, string>()
  /** Keys that were put at a lower offset than before. */
  readonly wentBack: string[] = []
  resets = 0
  changes = 0
  lastId = ''
  readonly #url: string
  readonly #offsets = new Map<string, number>()
  #curl: Bun.Subprocess<'ignore', 'pipe', 'ignore'> | undefined
  #read: Promise<void> | undefined

  /** @param url with a query, without `after` */
  constructor(url: string, form: 'sse' | 'ndjson') {
    this.#url = url
    this.form = form
  }

  /** Whether curl runs. */
  get isRunning(): boolean {
    return this.#curl?.exitCode === null && this.#curl.signalCode === null
  }

  start(url = this.#url): void {
    const isSse = this.form === 'sse'
    const accept = isSse ? 'text/event-stream' : 'application/x-ndjson'
    const headers = [
      '-H',
      `Accept: ${accept}`,
      ...(isSse && this.lastId ? ['-H', `Last-Event-ID: ${this.lastId}`] : []),
    ]
    const query = `?after=${this.lastId}`
    const target = !isSse && this.lastId ? url.replace(/\?.*$/, query) : url
    const curl = Bun.spawn(['curl', '-sNf', ...headers, target], { stdin: 'ignore', stdout: 'pipe', stderr: 'ignore' })
    this.#curl = curl
    this.#read = isSse ? this.#readEvents(curl.stdout) : this.#readLines(curl.stdout)
  }

  /** Resolves when everything that curl has received is folded. */
  async kill(): Promise<void> {
    this.#curl?.kill('SIGKILL')
    await this.#curl?.exited
    await this.#read
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill()
  }

  async #readEvents(bytes: ReadableStream<Uint8Array>): Promise<void> {
    const stream = new EventStream()
    const decoder = new TextDecoder()
    for await (const piece of bytes) {
      stream.add(decoder.decode(piece, { stream: true }))
      for (const { type, data } of stream.events.splice(0)) this.#apply(type, JSON.parse(data) as Change)
      this.lastId = stream.lastEventId || this.lastId
    }
  }

  async #readLines(bytes: ReadableStream<Uint8Array>): Promise<void> {
    const decoder = new TextDecoder()
    let rest = ''
    for await (const piece of bytes) {
      const lines = (rest + decoder.decode(piece, { stream: true })).split('\n')
      rest = lines.pop()!
      for (const line of lines) {
        const { type, id, ...change } = JSON.parse(line) as Change & { type: string; id?: string }
        this.#apply(type, change)
        this.lastId = id ?? this.lastId
      }
    }
  }

  #apply(type: string, { key, value, offset }: Change): void {
    this.changes++
    if (type === 'reset') {
      this.resets++
      this.content.clear()
    } else if (type === 'put') {
      this.content.set(key, JSON.stringify(value))
      if (offset! < (this.#offsets.get(key) ?? 0)) this.wentBack.push(key)
      this.#offsets.set(key, offset!)
    } else if (type === 'delete') this.content.delete(key)
  }
}
