/** Which representation of a value an Accept header asks for: proactive negotiation as RFC 9110, 12.5.1 has it. */
import type { Representation } from '../definition/presentation.ts'

/** The first one where several are wanted as much. */
const mediaTypes: readonly (readonly [Representation, string])[] = [
  ['json', 'application/json'],
  ['text', 'text/plain'],
  ['bytes', 'application/octet-stream'],
]

export const contentTypes: { readonly [R in Representation]: string } = {
  json: 'application/json',
  text: 'text/plain; charset=utf-8',
  bytes: 'application/octet-stream',
}

/** For whoever asked for something else. */
export const acceptable = mediaTypes.map(([, mediaType]) => mediaType)

/** A header has room for thousands; those after the first ones are not looked at. */
const rangesMax = 64

const mediaRange = /^[\w!#$%&'*+.^`|~-]+\/[\w!#$%&'*+.^`|~-]+$/
const weight = /^(?:0(?:\.\d{0,3})?|1(?:\.0{0,3})?)$/

/** Who sends more than the usual mostly sends the same again. */
let lastAccept: string | undefined
let lastRepresentation: Representation | undefined

interface MediaRange {
  /** In lower case. */
  name: string
  /** 0, not wanted at all, to 1. */
  quality: number
}

/** Undefined where nothing that there is will do. Without a header, or with an empty one, everything does. */
export function representationFor(accept: string | null): Representation | undefined {
  // What nearly everybody sends.
  if (accept === null || accept === '*/*' || accept === 'application/json') return 'json'
  if (accept === lastAccept) return lastRepresentation
  lastAccept = accept
  lastRepresentation = accept.trim() === '' ? 'json' : negotiate(accept)
  return lastRepresentation
}

function negotiate(accept: string): Representation | undefined {
  const ranges = accept
    .split(',', rangesMax)
    .map(parseRange)
    .filter((range) => range !== undefined)
  let best: Representation | undefined
  let bestQuality = 0
  for (const [representation, mediaType] of mediaTypes) {
    const quality = qualityOf(mediaType, ranges)
    if (quality > bestQuality) [best, bestQuality] = [representation, quality]
  }
  return best
}

/** The most specific range that matches decides, whatever others say. */
function qualityOf(mediaType: string, ranges: readonly MediaRange[]): number {
  const type = mediaType.slice(0, mediaType.indexOf('/'))
  for (const name of [mediaType, `${type}/*`, '*/*']) {
    const qualities = ranges.filter((range) => range.name === name).map(({ quality }) => quality)
    if (qualities.length > 0) return Math.max(...qualities)
  }
  return 0
}

/** Parameters but the weight do not tell our representations apart. Undefined for what is no media range, or has no proper weight. */
function parseRange(text: string): MediaRange | undefined {
  const [name = '', ...parameters] = text.split(';').map((part) => part.trim().toLowerCase())
  if (!mediaRange.test(name)) return undefined
  const given = parameters.find((parameter) => parameter.startsWith('q='))?.slice('q='.length)
  if (given === undefined) return { name, quality: 1 }
  return weight.test(given) ? { name, quality: Number(given) } : undefined
}
