/**
 * JSON with one text for each value, as RFC 8785 has it: no white space, members in the order of their names' UTF-16 units, numbers and
 * strings as ECMAScript writes them.
 */
import { type Json } from '../codec.ts'

/** Deeper values are refused: a bound on the stack. */
export const depthMax = 1_000

/** @throws Error for a number that is not finite, half of a surrogate pair, a value nested too deeply, or what is no JSON */
export function canonicalJson(json: Json): string {
  return textOf(json, 0)
}

function textOf(json: Json, depth: number): string {
  if (depth > depthMax) throw new Error(`it must be nested at most ${depthMax} deep`)
  switch (typeof json) {
    case 'string':
      return stringText(json)
    case 'number':
      // Infinity is what 1e400 becomes.
      if (!Number.isFinite(json)) throw new Error('it has a number that is not finite, or beyond 1.8e308')
      return JSON.stringify(json)
    case 'boolean':
      return String(json)
    case 'object':
      return json === null ? 'null' : structureText(json, depth + 1)
    default:
      throw new Error(`it must be JSON, and has a ${typeof json}`)
  }
}

function structureText(json: readonly Json[] | { readonly [name: string]: Json }, depth: number): string {
  if (Array.isArray(json)) return `[${json.map((element: Json) => textOf(element, depth)).join()}]`
  const members = json as { readonly [name: string]: Json }
  // Without a comparison function, sorting goes by UTF-16 units, as the RFC asks.
  const names = Object.keys(members)
    .filter((name) => members[name] !== undefined)
    .toSorted()
  return `{${names.map((name) => `${stringText(name)}:${textOf(members[name]!, depth)}`).join()}}`
}

function stringText(text: string): string {
  if (!text.isWellFormed()) throw new Error('it must be Unicode, and has half of a surrogate pair')
  return JSON.stringify(text)
}
