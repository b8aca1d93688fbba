import type { Json } from '../codec.ts'

export class JsonTooLong extends Error {
  constructor(charactersMax: number) {
    super(`it must have at most ${charactersMax} characters as JSON`)
  }
}

/**
 * Whether the JSON text of a value would be longer than a limit, without creating it. Escapes and commas are not
 * counted, so a text that passes may still be several times as long. Names in a schema can turn a few bytes into a long
 * text.
 */
export function isLongerThan(json: Json, charactersMax: number): boolean {
  return lessThan(charactersMax, json) < 0
}

/** @returns the characters that remain after this JSON; negative as soon as there are none */
function lessThan(characters: number, json: Json): number {
  if (typeof json === 'string') return characters - json.length - 2
  if (typeof json !== 'object' || json === null) return characters - 1
  let left = characters - 2
  if (Array.isArray(json)) {
    for (let index = 0; index < json.length && left >= 0; index++) left = lessThan(left, json[index] as Json)
    return left
  }
  const members = json as { readonly [name: string]: Json }
  // Creates no array of names. JSON values inherit no enumerable members.
  for (const name in members) {
    if (left >= 0) left = lessThan(left - name.length - 3, members[name]!)
  }
  return left
}
