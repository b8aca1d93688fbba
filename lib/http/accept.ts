/** Selects the representation of a value by the Accept header: proactive negotiation of RFC 9110, section 12.5.1. */
import type { Representation } from '../definition/presentation.ts'
import { LatchkeyError } from '../errors.ts'

/** Names and their media types in order of preference: the first one wins between those of equal quality. */
type MediaTypes<Name> = readonly (readonly [Name, string])[]

const mediaTypes: MediaTypes<Representation> = [
  ['json', 'application/json'],
  ['text', 'text/plain'],
  ['bytes', 'application/octet-stream'],
]

export const contentTypes: { readonly [R in Representation]: string } = {
  json: 'application/json',
  text: 'text/plain; charset=utf-8',
  bytes: 'application/octet-stream',
}

/** Media types listed in the response when Accept allows no representation. */
export const acceptable = mediaTypes.map(([, mediaType]) => mediaType)

/** Maximum number of media ranges read from one header. A header has room for thousands; the rest is ignored. */
const rangesMax = 64

const mediaRange = /^[\w!#$%&'*+.^`|~-]+\/[\w!#$%&'*+.^`|~-]+$/
const weight = /^(?:0(?:\.\d{0,3})?|1(?:\.0{0,3})?)$/

/** Last negotiation. A client with an unusual Accept header usually repeats it. */
let lastAccept: string | undefined
let lastRepresentation: Representation | undefined

interface MediaRange {
  /** In lower case. */
  name: string
  /** From 0, not acceptable, to 1. */
  quality: number
}

/**
 * Returns the representation that `accept` asks for; `json` without a header or with an empty one.
 * @returns undefined if no representation is acceptable
 */
export function representationFor(accept: string | null): Representation | undefined {
  // The values that nearly all clients send.
  if (accept === null || accept === '*/*' || accept === 'application/json') return 'json'
  if (accept === lastAccept) return lastRepresentation
  lastAccept = accept
  lastRepresentation = negotiate(accept, mediaTypes)
  return lastRepresentation
}

/**
 * Returns which of the media types `accept` asks for; the first one without a header or with an empty one.
 * @returns undefined if none of them is acceptable
 */
export function negotiate<Name>(accept: string | null, offered: MediaTypes<Name>): Name | undefined {
  if (accept === null || accept.trim() === '') return offered[0]?.[0]
  const ranges = accept
    .split(',', rangesMax)
    .map(parseRange)
    .filter((range) => range !== undefined)
  let best: Name | undefined
  let bestQuality = 0
  for (const [name, mediaType] of offered) {
    const quality = qualityOf(mediaType, ranges)
    if (quality > bestQuality) [best, bestQuality] = [name, quality]
  }
  return best
}

/**
 * Like negotiate(), for answers that have no other form.
 * @param attempted by the request, for the message: `Reading entries`
 * @throws LatchkeyError not_acceptable
 */
export function accepted<Name>(accept: string | null, offered: MediaTypes<Name>, attempted: string): Name {
  const name = negotiate(accept, offered)
  if (name !== undefined) return name
  throw notAcceptable(
    offered.map(([, mediaType]) => mediaType),
    attempted,
  )
}

/** @param mediaTypesOffered what there is instead */
export function notAcceptable(mediaTypesOffered: readonly string[], attempted: string): LatchkeyError {
  const offer = `there ${mediaTypesOffered.length === 1 ? 'is' : 'are'} ${mediaTypesOffered.join(', ')}`
  const message = `${attempted}: there is no representation that the Accept header allows; ${offer}`
  return new LatchkeyError('not_acceptable', message, { details: { acceptable: mediaTypesOffered } })
}

/** Returns the quality of a media type. The most specific matching range takes precedence. */
function qualityOf(mediaType: string, ranges: readonly MediaRange[]): number {
  const type = mediaType.slice(0, mediaType.indexOf('/'))
  for (const name of [mediaType, `${type}/*`, '*/*']) {
    const qualities = ranges.filter((range) => range.name === name).map(({ quality }) => quality)
    if (qualities.length > 0) return Math.max(...qualities)
  }
  return 0
}

/**
 * Parses one media range. Ignores parameters other than the weight: our representations do not differ by them.
 * @returns undefined if the text is not a media range, or its weight is invalid
 */
function parseRange(text: string): MediaRange | undefined {
  const [name = '', ...parameters] = text.split(';').map((part) => part.trim().toLowerCase())
  if (!mediaRange.test(name)) return undefined
  const given = parameters.find((parameter) => parameter.startsWith('q='))?.slice('q='.length)
  if (given === undefined) return { name, quality: 1 }
  return weight.test(given) ? { name, quality: Number(given) } : undefined
}
