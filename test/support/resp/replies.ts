/** Replies of RESP2 and RESP3 as values, and commands as bytes. Independent of lib/resp. */

/** An error reply. */
export class ReplyError {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}

/** A message that no command has asked for, of RESP3. */
export class Push {
  readonly parts: readonly Reply[]

  constructor(parts: readonly Reply[]) {
    this.parts = parts
  }
}

export type Reply = string | number | null | ReplyError | Push | Reply[] | Map<Reply, Reply> | Set<Reply>

/** A command as clients send it. */
export function command(...words: readonly (string | Uint8Array)[]): Buffer {
  const parts = words.flatMap((word) => {
    const bytes = Buffer.from(word)
    return [Buffer.from(`$${bytes.length}\r\n`), bytes, Buffer.from('\r\n')]
  })
  return Buffer.concat([Buffer.from(`*${words.length}\r\n`), ...parts])
}

/** Reads all whole replies; `rest` is the number of bytes that are left. Throws for what is no reply. */
export function repliesIn(bytes: Uint8Array): { replies: Reply[]; rest: number } {
  const reader = new ReplyReader(Buffer.from(bytes))
  const replies: Reply[] = []
  for (;;) {
    const reply = reader.next()
    if (reply === undefined) return { replies, rest: reader.rest }
    replies.push(reply)
  }
}

class Incomplete extends Error {}

class ReplyReader {
  readonly #bytes: Buffer
  #at = 0

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  get rest(): number {
    return this.#bytes.length - this.#at
  }

  next(): Reply | undefined {
    const start = this.#at
    try {
      return start === this.#bytes.length ? undefined : this.#reply()
    } catch (thrown) {
      if (!(thrown instanceof Incomplete)) throw thrown
      this.#at = start
      return undefined
    }
  }

  #reply(): Reply {
    const line = this.#line()
    const rest = line.slice(1)
    switch (line[0]) {
      case '+':
        return rest
      case '-':
        return new ReplyError(rest)
      case ':':
        return this.#whole(rest)
      case '_':
        if (rest !== '') throw new Error(`No null: ${line}`)
        return null
      case '$':
        return rest === '-1' ? null : this.#blob(this.#whole(rest))
      case '=':
        return this.#blob(this.#whole(rest)).slice(4)
      case '*':
        return Array.from({ length: this.#whole(rest) }, () => this.#reply())
      case '>':
        return new Push(Array.from({ length: this.#whole(rest) }, () => this.#reply()))
      case '~':
        return new Set(Array.from({ length: this.#whole(rest) }, () => this.#reply()))
      case '%':
        return new Map(Array.from({ length: this.#whole(rest) }, () => [this.#reply(), this.#reply()] as const))
      default:
        throw new Error(`No reply: ${JSON.stringify(line.slice(0, 80))}`)
    }
  }

  #whole(text: string): number {
    if (!/^-?\d+$/.test(text)) throw new Error(`No number: ${text}`)
    return Number(text)
  }

  #line(): string {
    const end = this.#bytes.indexOf('\r\n', this.#at)
    if (end < 0) throw new Incomplete()
    const line = this.#bytes.toString('latin1', this.#at, end)
    this.#at = end + 2
    return line
  }

  #blob(length: number): string {
    const end = this.#at + length
    if (end + 2 > this.#bytes.length) throw new Incomplete()
    if (this.#bytes.toString('latin1', end, end + 2) !== '\r\n') throw new Error('No line break after a string')
    const text = this.#bytes.toString('utf8', this.#at, end)
    this.#at = end + 2
    return text
  }
}
