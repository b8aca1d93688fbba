/** Bytes of the requests and answers of a link (feed-link.ts). Nothing that is received is trusted. */
import type { LatchkeyError } from '../../errors.ts'
import type { ChangeId } from '../../store-protocol/change-id.ts'
import type { ChangeBatch, FollowOptions, Resumed } from '../../store-protocol/following.ts'
import { type HopReader, type HopWriter, wireFault } from '../wire-bytes.ts'
import { readError, writeError } from '../wire.ts'
import type { PartOptions } from './part-options.ts'
import {
  countUpTo,
  partitionsMax,
  readBatch,
  readNumbers,
  readPlace,
  readPositions,
  writeBatch,
  writeNumbers,
  writePlace,
  writePositions,
} from './wire-changes.ts'

/** Parts of one link. */
export const linkPartsMax = 4_096
/** Of one answer: each part may be opened, be sent a batch, and end. */
const itemsMax = 3 * linkPartsMax
/** Of one answer: each counts 64 bytes at least in the bound of it (answered-link.ts). */
const eventsMax = 262_144
/** Of one part. */
export const partKeysMax = 10_000
const idLengthMax = 64

const hasKeys = 1
const hasPrefix = 2
const withValues = 4
const keysOnly = 8

const fromCodes = { now: 0, start: 1, place: 2 } as const
const resumedCodes: readonly (Resumed | undefined)[] = [undefined, 'ring', 'changelog', 'reset']
/** Numbers of what is sent; never given to another thing. */
const itemCodes = { opened: 1, batch: 2, ended: 3 } as const

/** What who asks says at each turn of a link. Numbers name parts. */
export interface LinkRequest {
  /** Names the link, once: one that is begun again has another name. */
  readonly link: string
  /** Number of the request within the link, from 0. Each is answered once: what a batch has is not sent again. */
  readonly turn: number
  /** How long the answer may wait for something. */
  readonly holdMs: number
  readonly opened: ReadonlyMap<number, PartOptions>
  readonly closed: readonly number[]
  /** Parts whose clients wait: each may be sent one batch. */
  readonly wanted: readonly number[]
}

export type LinkItem =
  | {
      readonly type: 'opened'
      readonly part: number
      readonly resumed: Resumed | undefined
      readonly place: ChangeId | undefined
    }
  | { readonly type: 'batch'; readonly part: number; readonly batch: ChangeBatch }
  | { readonly type: 'ended'; readonly part: number; readonly error: LatchkeyError }

export interface LinkAnswer {
  /** False: it has expired. */
  readonly isKnown: boolean
  readonly items: readonly LinkItem[]
  /** Places of parts that have everything, now and then. */
  readonly places: ReadonlyMap<ChangeId, readonly number[]>
}

export function writeLinkRequest(writer: HopWriter, { link, turn, holdMs, ...said }: LinkRequest): void {
  const { opened, closed, wanted } = said
  writer.text(link)
  writer.u32(turn)
  writer.u32(holdMs)
  writer.u32(opened.size)
  for (const [part, options] of opened) {
    writer.u32(part)
    writeOptions(writer, options)
  }
  writeNumbers(writer, closed)
  writeNumbers(writer, wanted)
}

/** @throws LatchkeyError malformed_request */
export function readLinkRequest(reader: HopReader): LinkRequest {
  const link = reader.text(idLengthMax)
  const turn = reader.u32()
  const holdMs = reader.u32()
  const opened = new Map<number, PartOptions>()
  for (let left = countUpTo(linkPartsMax, reader); left > 0; left--) opened.set(reader.u32(), readOptions(reader))
  const [closed, wanted] = [readNumbers(reader, linkPartsMax), readNumbers(reader, linkPartsMax)]
  return { link, turn, holdMs, opened, closed, wanted }
}

export function writeLinkAnswer(writer: HopWriter, { isKnown, items, places }: LinkAnswer): void {
  writer.u8(isKnown ? 1 : 0)
  writer.u32(items.length)
  for (const item of items) writeItem(writer, item)
  writer.u32(places.size)
  for (const [place, parts] of places) {
    writePlace(writer, place)
    writeNumbers(writer, parts)
  }
}

/** @throws LatchkeyError malformed_request */
export function readLinkAnswer(reader: HopReader): LinkAnswer {
  const isKnown = reader.u8() === 1
  let events = 0
  const items = Array.from({ length: countUpTo(itemsMax, reader, 5) }, () => {
    const item = readItem(reader)
    if (item.type === 'batch') events += item.batch.events.length
    if (events > eventsMax) throw wireFault(`more than ${eventsMax} changes`)
    return item
  })
  const places = new Map<ChangeId, number[]>()
  for (let left = countUpTo(linkPartsMax, reader); left > 0; left--) {
    places.set(readPlace(reader), readNumbers(reader, linkPartsMax))
  }
  return { isKnown, items, places }
}

function writeOptions(writer: HopWriter, options: PartOptions): void {
  const { keys, prefix, partitions, seen, from } = options
  writer.u8(
    (keys === undefined ? 0 : hasKeys) +
      (prefix === undefined ? 0 : hasPrefix) +
      (options.withValues ? withValues : 0) +
      (options.keysOnly ? keysOnly : 0),
  )
  writer.u8(typeof from === 'string' ? fromCodes[from] : fromCodes.place)
  if (typeof from === 'object') writePlace(writer, from)
  writeNumbers(writer, partitions)
  writePositions(writer, seen)
  if (keys !== undefined) {
    writer.u32(keys.length)
    for (const key of keys) writer.bytes(key)
  }
  if (prefix !== undefined) writer.bytes(prefix)
}

function readOptions(reader: HopReader): PartOptions {
  const flags = reader.u8()
  const from = readFrom(reader)
  const partitions = readNumbers(reader, partitionsMax)
  const seen = readPositions(reader)
  const keys =
    (flags & hasKeys) === 0
      ? undefined
      : Array.from({ length: countUpTo(partKeysMax, reader, 4) }, () => reader.bytes().slice())
  const prefix = (flags & hasPrefix) === 0 ? undefined : reader.bytes().slice()
  return {
    ...(keys && { keys }),
    ...(prefix && { prefix }),
    partitions,
    seen,
    from,
    withValues: (flags & withValues) !== 0,
    keysOnly: (flags & keysOnly) !== 0,
  }
}

function readFrom(reader: HopReader): FollowOptions['from'] {
  switch (reader.u8()) {
    case fromCodes.now:
      return 'now'
    case fromCodes.start:
      return 'start'
    case fromCodes.place:
      return readPlace(reader)
    default:
      throw wireFault('a beginning that is not known')
  }
}

function writeItem(writer: HopWriter, item: LinkItem): void {
  writer.u8(itemCodes[item.type])
  writer.u32(item.part)
  switch (item.type) {
    case 'opened':
      writer.u8(resumedCodes.indexOf(item.resumed))
      writer.u8(item.place === undefined ? 0 : 1)
      if (item.place !== undefined) writePlace(writer, item.place)
      break
    case 'batch':
      writeBatch(writer, item.batch)
      break
    case 'ended':
      writeError(writer, item.error)
      break
  }
}

function readItem(reader: HopReader): LinkItem {
  const code = reader.u8()
  const part = reader.u32()
  switch (code) {
    case itemCodes.opened: {
      const resumed = resumedCodes[reader.u8()]
      return { type: 'opened', part, resumed, place: reader.u8() === 0 ? undefined : readPlace(reader) }
    }
    case itemCodes.batch:
      return { type: 'batch', part, batch: readBatch(reader) }
    case itemCodes.ended:
      return { type: 'ended', part, error: readError(reader) }
    default:
      throw wireFault('an item that is not known')
  }
}
