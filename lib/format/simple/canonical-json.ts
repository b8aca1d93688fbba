/**
 * JSON with exactly one text for each value, as in RFC 8785: no white space, members in the order of the UTF-16 units
 * of their names, numbers and strings as in ECMAScript.
 * Keys need this to be found. In values, members keep their order.
 */
import type { Json } from '../codec.ts'
import { JsonTooLong } from './json-length.ts'

/**
 * Characters that the current text may still have. Names and strings count with their length, without escapes and
 * punctuation.
 */
let charactersLeft = 0

/** Maximum depth, which bounds the stack. */
export const depthMax = 1_000
/** Maximum length of a text. Names in a schema can turn a few bytes into a long text. */
const charactersMax = 134_217_728
/** Up to this many names, our own sort is faster than the engine's. */
const insertionMax = 16

/**
 * @throws Error for a number that is not finite, half of a surrogate pair, a value that is nested too deeply or too
 *   long, or something that is not JSON
 */
export function canonicalJson(json: Json): string {
  charactersLeft = charactersMax
  const ordered = inOrder(json, 0)
  if (ordered !== undefined && charactersLeft >= 0) return JSON.stringify(ordered)
  charactersLeft = charactersMax
  return textOf(json, 0, true)
}

/**
 * Like canonicalJson, but members keep the order of the value.
 * @throws the same errors
 */
export function jsonText(json: Json): string {
  charactersLeft = charactersMax
  if (isSound(json, 0)) return JSON.stringify(json)
  charactersLeft = charactersMax
  return textOf(json, 0, false)
}

/** Whether JSON.stringify gives a correct text. False also means unknown: textOf then decides. */
function isSound(json: Json, depth: number): boolean {
  if (typeof json === 'string') {
    charactersLeft -= json.length
    return charactersLeft >= 0 && json.isWellFormed()
  }
  if (typeof json === 'number') return Number.isFinite(json)
  if (typeof json === 'boolean' || json === null) return true
  if (typeof json !== 'object' || depth >= depthMax) return false
  if (Array.isArray(json)) {
    for (let index = 0; index < json.length; index++) if (!isSound(json[index] as Json, depth + 1)) return false
    return true
  }
  const prototype: unknown = Object.getPrototypeOf(json)
  if (prototype !== Object.prototype && prototype !== null) return false
  const members = json as { readonly [name: string]: Json }
  for (const name of Object.keys(members)) {
    charactersLeft -= name.length
    if (!name.isWellFormed() || !isSound(members[name]!, depth + 1)) return false
  }
  return true
}

/**
 * Returns a value whose JSON.stringify text is canonical, which is several times as fast as textOf: the value itself if
 * its members are in order already, else a copy. Undefined if the value is wrong, or if this is unknown: textOf then
 * decides.
 */
function inOrder(json: Json, depth: number): Json | undefined {
  if (charactersLeft < 0) return undefined
  if (typeof json === 'string') {
    charactersLeft -= json.length
    return json.isWellFormed() ? json : undefined
  }
  if (typeof json === 'number') return Number.isFinite(json) ? json : undefined
  if (typeof json === 'boolean' || json === null) return json
  if (typeof json !== 'object' || depth >= depthMax) return undefined
  return Array.isArray(json)
    ? elementsInOrder(json as readonly Json[], depth + 1)
    : membersInOrder(json as { readonly [name: string]: Json }, depth + 1)
}

function beginsWithDigit(name: string): boolean {
  const code = name.charCodeAt(0)
  return code >= 48 && code <= 57
}

/** Sorts in place, by UTF-16 units. */
function sort(names: string[]): void {
  if (names.length > insertionMax) {
    names.sort()
    return
  }
  for (let index = 1; index < names.length; index++) {
    const name = names[index]!
    let at = index
    for (; at > 0 && names[at - 1]! > name; at--) names[at] = names[at - 1]!
    names[at] = name
  }
}

function elementsInOrder(elements: readonly Json[], depth: number): Json | undefined {
  let copy: Json[] | undefined
  for (let index = 0; index < elements.length; index++) {
    const element = elements[index]!
    const ordered = inOrder(element, depth)
    if (ordered === undefined) return undefined
    if (ordered !== element) copy ??= [...elements]
    if (copy !== undefined) copy[index] = ordered
  }
  return copy ?? elements
}

function membersInOrder(members: { readonly [name: string]: Json }, depth: number): Json | undefined {
  const prototype: unknown = Object.getPrototypeOf(members)
  if (prototype !== Object.prototype && prototype !== null) return undefined
  const names = Object.keys(members)
  let isSorted = true
  for (let index = 0; index < names.length; index++) {
    const name = names[index]!
    // Objects order names that look like numbers differently, and `__proto__` and `toJSON` have a special meaning.
    if (beginsWithDigit(name) || name === '__proto__' || name === 'toJSON' || !name.isWellFormed()) return undefined
    if (index > 0 && names[index - 1]! > name) isSorted = false
  }
  if (!isSorted) sort(names)
  let copy: { [name: string]: Json } | undefined = isSorted ? undefined : {}
  for (let index = 0; index < names.length; index++) {
    const name = names[index]!
    charactersLeft -= name.length
    const member = members[name]!
    const ordered = inOrder(member, depth)
    if (ordered === undefined) return undefined
    if (ordered !== member) copy ??= { ...members }
    if (copy !== undefined) copy[name] = ordered
  }
  return copy ?? members
}

function textOf(json: Json, depth: number, isCanonical: boolean): string {
  if (depth > depthMax) throw new Error(`it must be nested at most ${depthMax} deep`)
  switch (typeof json) {
    case 'string':
      return stringText(json)
    case 'number':
      // JSON.parse turns 1e400 into Infinity.
      if (!Number.isFinite(json)) throw new Error('it has a number that is not finite, or beyond 1.8e308')
      return JSON.stringify(json)
    case 'boolean':
      return String(json)
    case 'object':
      return json === null ? 'null' : structureText(json, depth + 1, isCanonical)
    default:
      throw new Error(`it must be JSON, and has ${json === undefined ? 'undefined' : `a ${typeof json}`}`)
  }
}

function structureText(
  json: readonly Json[] | { readonly [name: string]: Json },
  depth: number,
  isCanonical: boolean,
): string {
  if (Array.isArray(json)) return `[${json.map((element: Json) => textOf(element, depth, isCanonical)).join()}]`
  refuseNonJson(json)
  const members = json as { readonly [name: string]: Json }
  const names = Object.keys(members).filter((name) => members[name] !== undefined)
  // Without a comparison function, sort compares UTF-16 units, as RFC 8785 requires.
  if (isCanonical) names.sort()
  return `{${names.map((name) => `${stringText(name)}:${textOf(members[name]!, depth, isCanonical)}`).join()}}`
}

/** Refuses dates, maps, bytes and other objects that would silently become `{}`. */
function refuseNonJson(json: object): void {
  const [, name] = /^\[object (.*)\]$/.exec(Object.prototype.toString.call(json)) ?? []
  if (name !== 'Object') throw new Error(`it must be JSON, and has an object that JSON does not have: ${name}`)
}

function stringText(text: string): string {
  charactersLeft -= text.length
  if (charactersLeft < 0) throw new JsonTooLong(charactersMax)
  if (!text.isWellFormed()) throw new Error('it must be Unicode, and has half of a surrogate pair')
  return JSON.stringify(text)
}
