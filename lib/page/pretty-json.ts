/**
 * JSON with line breaks and indentation. It works on the text: JSON.parse would change long numbers, drop repeated names
 * and reorder numeric ones, and what is shown must be what the store holds.
 */
export interface JsonToken {
  readonly kind: 'name' | 'text' | 'number' | 'word' | 'mark'
  readonly text: string
}

/** Deeper lists are not worth a line of white space for each of their items. */
const depthMax = 32
/** Lists and objects of such a length stay in one line. */
const lineMax = 72

/** Returns undefined if the text is not JSON, or nested too deeply. */
export function prettyJson(json: string): JsonToken[] | undefined {
  try {
    JSON.parse(json)
    return new Printer(json).value('\n')
  } catch {
    return undefined
  }
}

const mark = (text: string): JsonToken => ({ kind: 'mark', text })

class Printer {
  readonly #json: string
  #at = 0

  constructor(json: string) {
    this.#json = json
  }

  /** @param line break and indentation of the value's own line */
  value(line: string): JsonToken[] {
    const first = this.#next()
    return first === '{' || first === '[' ? this.#list(line) : [this.#scalar(first === '"' ? 'text' : undefined)]
  }

  /** Skips white space, commas and colons, which the text has where they belong: it is JSON. */
  #next(): string {
    while (' \n\r\t,:'.includes(this.#json[this.#at]!)) this.#at++
    return this.#json[this.#at]!
  }

  #list(line: string): JsonToken[] {
    const open = this.#json[this.#at++]!
    const deeper = `${line}  `
    if (deeper.length > 2 * depthMax) throw new RangeError('deep')
    const items: JsonToken[][] = []
    for (let next = this.#next(); next !== '}' && next !== ']'; next = this.#next()) {
      const name = open === '{' ? [this.#scalar('name'), mark(': ')] : []
      items.push([...name, ...this.value(deeper)])
    }
    const close = mark(this.#json[this.#at++]!)
    const isShort = items.flat().reduce((length, { text }) => length + text.length + 1, 0) < lineMax
    const tokens = items.flatMap((item, index) => [
      ...(index > 0 ? [mark(isShort ? ', ' : ',')] : []),
      ...(isShort ? item : [mark(deeper), ...item]),
    ])
    return [mark(open), ...tokens, ...(isShort ? [close] : [mark(line), close])]
  }

  #scalar(kind: 'name' | 'text' | undefined): JsonToken {
    const start = this.#at
    const json = this.#json
    if (kind !== undefined) {
      while (json[++this.#at] !== '"') if (json[this.#at] === '\\') this.#at++
      this.#at++
    } else while (this.#at < json.length && !' \n\r\t,]}'.includes(json[this.#at]!)) this.#at++
    const text = json.slice(start, this.#at)
    return { kind: kind ?? ('tfn'.includes(text[0]!) ? 'word' : 'number'), text }
  }
}
