import { type Json } from '../codec.ts'

export class JsonTooLong extends Error {
  constructor(charactersMax: number) {
    super(`it must have at most ${charactersMax} characters as JSON`)
  }
}

/**
 * Whether JSON.stringify would make more than so many characters, found without making them. Escapes and commas are not counted, so that a text may
 * still have several times as many. Names that come from a schema make much of a few bytes.
 */
export function isLongerThan(json: Json, charactersMax: number): boolean {
  return lessThan(charactersMax, json) < 0
}

/** @returns what is left of `characters` after this JSON; less than 0 as soon as nothing is */
function lessThan(characters: number, json: Json): number {
  if (typeof json === 'string') return characters - json.length - 2
  if (typeof json !== 'object' || json === null) return characters - 1
  let left = characters - 2
  if (Array.isArray(json)) {
    for (let index = 0; index < json.length && left >= 0; index++) left = lessThan(left, json[index] as Json)
    return left
  }
  const members = json as { readonly [name: string]: Json }
  // No array of names is made; what an object might inherit is none of JSON's.
  for (const name in members) {
    if (left >= 0) left = lessThan(left - name.length - 3, members[name]!)
  }
  return left
}
