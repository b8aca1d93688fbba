/** The query of a request that reads many entries. Unlike a lookup of one key, it refuses parameters it does not know. */
import { LatchkeyError } from '../errors.ts'
import { decodeForm } from './key.ts'

const decoder = new TextDecoder('utf-8', { fatal: true })
const shownCharactersMax = 100

/** Kafka's partitions are numbers of 32 bits. */
export const partitionMax = 0x7fff_ffff

/** Values of a query by name, as written: not decoded. */
export class Parameters {
  /** What the request attempts, for messages: `Reading many keys`. */
  readonly attempted: string
  readonly #values = new Map<string, string[]>()

  /**
   * @param query without the question mark
   * @param known names; those in `repeatable` may stand several times
   * @throws LatchkeyError invalid_parameter
   */
  constructor(attempted: string, query: string, known: readonly string[], repeatable: readonly string[] = []) {
    this.attempted = attempted
    // Most queries repeat one name.
    let last = ''
    let lastValues: string[] | undefined
    for (const pair of query === '' ? [] : query.split('&')) {
      if (lastValues !== undefined && pair.startsWith(last)) {
        lastValues.push(pair.slice(last.length))
        continue
      }
      const equals = pair.indexOf('=')
      const name = equals < 0 ? pair : pair.slice(0, equals)
      if (!known.includes(name)) throw this.#unknown(name, known)
      const values = this.#values.get(name)
      if (values !== undefined && !repeatable.includes(name)) {
        throw this.invalid(`the query has ${name} more than once; give it once`)
      }
      const all = values ?? []
      all.push(equals < 0 ? '' : pair.slice(equals + 1))
      this.#values.set(name, all)
      last = `${name}=`
      lastValues = repeatable.includes(name) ? all : undefined
    }
  }

  has(name: string): boolean {
    return this.#values.has(name)
  }

  /** Returns all values of a name, as written. */
  all(name: string): readonly string[] {
    return this.#values.get(name) ?? []
  }

  /** Returns the bytes of a value, percent-decoded. As in forms, `+` is a space. */
  bytes(name: string): Uint8Array | undefined {
    const text = this.all(name)[0]
    return text === undefined ? undefined : decodeForm(text)
  }

  /** Returns a value as text. */
  text(name: string): string | undefined {
    const bytes = this.bytes(name)
    if (bytes === undefined) return undefined
    try {
      return decoder.decode(bytes)
    } catch {
      throw this.invalid(`${name} is not UTF-8, percent-encoded`)
    }
  }

  wholeNumber(name: string, min: number, max: number): number | undefined {
    const text = this.text(name)
    if (text === undefined) return undefined
    if (/^\d{1,10}$/.test(text) && Number(text) >= min && Number(text) <= max) return Number(text)
    throw this.invalid(`${name} is ${quoted(text)}; give a whole number from ${min} to ${max}`)
  }

  /** @param found completes the message, with what to do */
  invalid(found: string): LatchkeyError {
    return new LatchkeyError('invalid_parameter', `${this.attempted}: ${found}`)
  }

  #unknown(name: string, known: readonly string[]): LatchkeyError {
    return this.invalid(`there is no parameter ${quoted(name)} here; there are ${known.join(', ')}`)
  }
}

/** Shows what a client has sent, cut off. */
export function quoted(text: string): string {
  return JSON.stringify(text.slice(0, shownCharactersMax))
}
