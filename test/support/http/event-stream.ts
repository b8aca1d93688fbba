/**
 * A client of server-sent events: reads a stream by the rules of the HTML standard (section 9.2.6), as a browser does.
 */

export interface ServerEvent {
  readonly type: string
  readonly data: string
  /** Last id of the stream at this event. */
  readonly id: string
}

export class EventStream {
  readonly events: ServerEvent[] = []
  /** What a browser sends when it connects again; an id alone sets it, too. */
  lastEventId = ''
  /** Milliseconds, if the stream has said so. */
  retry: number | undefined
  #rest = ''
  #data: string[] = []
  #type = ''
  #id = ''

  /** @param text with line feeds only */
  add(text: string): void {
    const lines = (this.#rest + text).split('\n')
    this.#rest = lines.pop()!
    for (const line of lines) this.#line(line)
  }

  /** Type and parsed data of all events. */
  get contents(): readonly (readonly [string, unknown])[] {
    return this.events.map(({ type, data }) => [type, JSON.parse(data) as unknown])
  }

  #line(line: string): void {
    if (line === '') return this.#dispatch()
    const colon = line.indexOf(':')
    if (colon === 0) return
    const field = colon < 0 ? line : line.slice(0, colon)
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '')
    if (field === 'event') this.#type = value
    else if (field === 'data') this.#data.push(value)
    else if (field === 'id' && !value.includes('\0')) this.#id = value
    else if (field === 'retry' && /^\d+$/.test(value)) this.retry = Number(value)
  }

  #dispatch(): void {
    this.lastEventId = this.#id
    if (this.#data.length > 0) {
      this.events.push({ type: this.#type || 'message', data: this.#data.join('\n'), id: this.#id })
    }
    this.#data = []
    this.#type = ''
  }
}
