/** Parser of server-sent events, for streams that are read by fetch, which can send a token. */
export interface StreamEvent {
  readonly type: string
  readonly data: string
}

/** No event of the server has such a length. */
const lengthMax = 64 * 1024 * 1024

export class EventStreamParser {
  #rest = ''

  /**
   * Returns the events that a piece of the stream completes.
   * @param text with line feeds, as the server ends its lines
   * @throws RangeError if an event has no end
   */
  push(text: string): StreamEvent[] {
    const blocks = (this.#rest + text).split('\n\n')
    this.#rest = blocks.pop()!
    if (this.#rest.length > lengthMax) throw new RangeError('an event is too long')
    return blocks
      .map((block) => ({ type: field(block, 'event'), data: field(block, 'data') }))
      .filter(({ data }) => data)
  }
}

/** Returns the value of a field, empty if the block has none. Fields of the server have one line. */
function field(block: string, name: string): string {
  const line = block.split('\n').find((candidate) => candidate.startsWith(`${name}: `))
  return line?.slice(name.length + 2) ?? ''
}
