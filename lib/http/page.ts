/** Pages of a walk, and counts. */
import type { Answer } from './answer.ts'
import { cursorOf } from './cursor.ts'
import { epochHeader, epochMember, PartEpochs } from './epochs.ts'
import { percentEncoded } from './key.ts'
import { listAnswer, type ListForm } from './list-answer.ts'
import type { Parameters } from './parameters.ts'
import { jsonResponse } from './responses.ts'
import type { StoreView } from './store-view.ts'
import { restartedMember, type Walk, type WalkPiece } from './walk.ts'

/** Entries of a page. */
export const limitMax = 10_000
export const limitDefault = 100
/** Entries that a page looks at, such as those that have another prefix. */
const examinedMax = 250_000
const pageBytesMax = 16_777_216

const encoder = new TextEncoder()

/** @param nextUrl path and query of the next page, without its cursor */
export async function pageOf(
  store: StoreView,
  walk: Walk,
  form: ListForm,
  limit: number,
  nextUrl: string,
): Promise<Answer> {
  const pieces: Uint8Array[] = []
  const epochs = new PartEpochs()
  let [count, bytes, examined] = [0, 0, 0]
  while (walk.position !== undefined && count < limit && bytes < pageBytesMax && examined < examinedMax) {
    const piece: WalkPiece = await walk.next(limit - count)
    if (form === 'json' && count > 0 && piece.count > 0) pieces.push(encoder.encode(','))
    pieces.push(piece.bytes)
    count += piece.count
    bytes += piece.bytes.length
    examined += piece.examined
    epochs.add(piece)
  }
  const next = walk.position && `${nextUrl}&cursor=${cursorOf(walk.position, store)}`
  const headers = {
    ...epochHeader(epochs),
    ...(walk.restarted.size > 0 && { 'X-Latchkey-Restarted': [...walk.restarted].join(', ') }),
    ...(next !== undefined && { Link: `<${next}>; rel="next"` }),
  }
  if (form === 'ndjson') return listAnswer(joined(pieces), form, headers)
  const nextMember = next === undefined ? '' : `,"next":${JSON.stringify(next)}`
  const end = `]${restartedMember(walk)}${nextMember}}\n`
  return listAnswer(joined([encoder.encode('{"entries":['), ...pieces, encoder.encode(end)]), form, headers)
}

/** Returns path and query that ask for the same entries; a cursor may follow. */
export function pageUrl(base: string, parameters: Parameters, limit: number): string {
  const kept = ['prefix', 'fields', 'partition'].flatMap((name) => {
    const value = parameters.bytes(name)
    return value === undefined ? [] : [`&${name}=${percentEncoded(value)}`]
  })
  return `${base}?limit=${limit}${kept.join('')}`
}

/** Counts all entries, of one epoch. */
export async function countAll(store: StoreView): Promise<Answer> {
  const counted = await store.count()
  return jsonResponse({ ...epochMember(counted), count: counted.count })
}

/** Counts while the entries change: from one epoch to another. */
export async function countWalked(walk: Walk): Promise<Answer> {
  let count = 0
  /** Of the present partition. */
  let [partition, counted] = [-1, 0]
  let from: number | undefined
  const epochs = new PartEpochs()
  while (walk.position !== undefined) {
    const piece = await walk.next(Infinity)
    // What was counted of a partition before it began again is counted again.
    if (piece.isRestart) count -= counted
    if (piece.isRestart || piece.partition !== partition) counted = 0
    ;({ partition } = piece)
    counted += piece.count
    count += piece.count
    from ??= piece.epoch
    epochs.add(piece)
  }
  if (epochs.epochs !== undefined) return jsonResponse({ count, epochs: epochs.epochs })
  return jsonResponse({ count, from: from ?? epochs.epoch, to: epochs.epoch })
}

function joined(pieces: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const piece of pieces) {
    bytes.set(piece, at)
    at += piece.length
  }
  return bytes
}
