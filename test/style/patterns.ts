/** Regular expressions of a source, and whether what they cost grows with the length of a text alone. */

/** The literals of a TypeScript text: comments, strings and templates are passed over. */
export function patternsIn(text: string): RegExp[] {
  const patterns: RegExp[] = []
  // What a slash can be divided from is no beginning of a pattern.
  let beforeSlash = ''
  for (let at = 0; at < text.length;) {
    const character = text[at]!
    if (text.startsWith('//', at)) at = indexOr(text, '\n', at)
    else if (text.startsWith('/*', at)) at = indexOr(text, '*/', at) + 2
    else if ('\'"`'.includes(character)) {
      at = endOf(text, at, character)
      beforeSlash = 'x'
    } else if (character === '/' && '(,=:[!&|?{};+>'.includes(beforeSlash)) {
      const end = endOf(text, at, '/')
      const flags = /^[a-z]*/.exec(text.slice(end))![0]
      patterns.push(new RegExp(text.slice(at + 1, end - 1), flags))
      at = end + flags.length
      beforeSlash = 'x'
    } else {
      if (text.startsWith('return ', at)) at += 6
      if (character.trim() !== '') beforeSlash = text[at]!.trim() === '' ? '(' : character
      at++
    }
  }
  return patterns
}

function indexOr(text: string, searched: string, from: number): number {
  const found = text.indexOf(searched, from)
  return found < 0 ? text.length : found
}

/** Behind what is closed by `closing`, which a class in a pattern may hold. */
function endOf(text: string, start: number, closing: string): number {
  let isInClass = false
  for (let at = start + 1; at < text.length; at++) {
    if (text[at] === '\\') at++
    else if (closing === '/' && text[at] === '[') isInClass = true
    else if (closing === '/' && text[at] === ']') isInClass = false
    else if (text[at] === closing && !isInClass) return at + 1
  }
  return text.length
}

/** Something that takes one character, so and so often. */
interface Atom {
  readonly characters: ReadonlySet<number>
  readonly isOptional: boolean
  readonly isUnbounded: boolean
}

/** What a pattern may take one after the other, for each choice that it leaves. */
type Path = readonly Atom[]

/** A loop around a group, which costs memory for each round and may take one text in many ways. */
class GroupInLoop extends Error {}

/** Beyond it a repetition counts as one without a bound. */
const roundsMax = 100

/** Undefined where it is linear in the length of the text. */
export function whyNotLinear(pattern: RegExp): string | undefined {
  try {
    const paths = new PatternReader(pattern).paths()
    return paths.map(whyPathIsNot).find((why) => why !== undefined)
  } catch (error) {
    if (error instanceof GroupInLoop) return 'it repeats a group'
    throw error
  }
}

function whyPathIsNot(path: Path): string | undefined {
  for (const [index, loop] of path.entries()) {
    // What takes anything that follows cannot fail, so that nothing is tried again.
    if (!loop.isUnbounded || index === path.length - 1) continue
    if (path.slice(0, index).every((atom) => atom.isOptional || isShared(atom, loop))) {
      return 'it starts again within what it has repeated'
    }
    for (let next = index + 1; next < path.length; next++) {
      const atom = path[next]!
      if (atom.isUnbounded && isShared(atom, loop)) return 'two repetitions can take the same'
      if (!atom.isOptional && !isShared(atom, loop)) break
    }
  }
  return undefined
}

function isShared(left: Atom, right: Atom): boolean {
  return [...left.characters].some((code) => right.characters.has(code))
}

/** The start or the end, which no character of a loop is. */
const edge: Atom = { characters: new Set(), isOptional: false, isUnbounded: false }

class PatternReader {
  readonly #pattern: RegExp
  readonly #source: string
  #at = 0

  constructor(pattern: RegExp) {
    this.#pattern = pattern
    this.#source = pattern.source
  }

  paths(): Path[] {
    const paths: Path[] = []
    do paths.push(...this.#alternative())
    while (this.#take('|'))
    return paths
  }

  #alternative(): Path[] {
    let paths: Path[] = [[]]
    while (this.#at < this.#source.length && !'|)'.includes(this.#source[this.#at]!)) {
      const parts = this.#term()
      paths = paths.flatMap((path) => parts.map((part) => [...path, ...part]))
    }
    return paths
  }

  #term(): Path[] {
    if (this.#take('\\b')) return [[]]
    if (this.#take('^') || this.#take('$')) return [[edge]]
    if (this.#take('(')) return this.#group()
    const from = this.#at
    this.#at = this.#endOfAtom()
    const one = new RegExp(`^${this.#source.slice(from, this.#at)}$`, this.#pattern.flags.replace(/[gy]/g, ''))
    const characters = new Set<number>()
    for (let code = 0; code < 0x250; code++) if (one.test(String.fromCharCode(code))) characters.add(code)
    const { min, max } = this.#rounds()
    return [[{ characters, isOptional: min === 0, isUnbounded: max > roundsMax }]]
  }

  #group(): Path[] {
    const isLook = ['?=', '?!', '?<=', '?<!'].some((look) => this.#take(look))
    if (!isLook) this.#take('?:')
    const paths = this.paths()
    this.#take(')')
    const { min, max } = this.#rounds()
    if (isLook) return [[]]
    if (max > 1 && max > roundsMax) throw new GroupInLoop()
    return min === 0 ? [[], ...paths] : paths
  }

  #endOfAtom(): number {
    const source = this.#source
    if (source[this.#at] === '[') {
      let at = this.#at + 1
      while (source[at] !== ']') at += source[at] === '\\' ? 2 : 1
      return at + 1
    }
    const escape = /^\\(?:x[0-9a-f]{2}|u[0-9a-f]{4}|[pP]\{[^}]*\}|.)/i.exec(source.slice(this.#at))
    return this.#at + (escape?.[0].length ?? 1)
  }

  #rounds(): { min: number; max: number } {
    const [all = '', sign, min, comma, max] =
      /^(?:([*+?])|\{(\d+)(,?)(\d*)\})\??/.exec(this.#source.slice(this.#at)) ?? []
    this.#at += all.length
    if (sign !== undefined) return { min: sign === '+' ? 1 : 0, max: sign === '?' ? 1 : Infinity }
    if (min === undefined) return { min: 1, max: 1 }
    return { min: Number(min), max: comma === '' ? Number(min) : max === '' ? Infinity : Number(max) }
  }

  #take(text: string): boolean {
    const isThere = this.#source.startsWith(text, this.#at)
    if (isThere) this.#at += text.length
    return isThere
  }
}
