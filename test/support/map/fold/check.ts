/** Compares what was read with what the partitions show at their positions. Each function throws what is wrong. */
import type { ChiralMapShared, MapChunk, MapChunkBounds, MapEntry, Reader } from '../../../../lib/map/index.ts'
import { isValueOf, type KnownKey, knownKeys, positionKeyOf, shownRecord } from './history.ts'

export interface Model {
  readonly partition: number
  readonly map: number
  readonly keys: readonly KnownKey[]
}

/** What a partition shows: the number of records, and the round that published them. */
export interface Shown {
  readonly position: number
  readonly round: number
}

export function shownIn({ partition, map }: Model, readers: readonly Reader[]): Shown {
  const key = Buffer.from(positionKeyOf(partition))
  const found = readers[map]!.find(key, Number.POSITIVE_INFINITY) as MapEntry | undefined
  return { position: found?.offset ?? 0, round: found?.timestamp ?? 0 }
}

/** Partitions in order of maps, then of their numbers. */
export function createModel(shared: readonly ChiralMapShared[]): Model[] {
  return shared.flatMap(({ partitions, seed }, map) =>
    partitions.map((partition) => ({ partition, map, keys: knownKeys(partition, seed) })),
  )
}

/** Maps are published in turn, so the first is at most one round ahead, and the partitions of a map are in the same. */
export function checkRounds(models: readonly Model[], shown: readonly Shown[]): void {
  const rounds = shown.map(({ round }) => round)
  const wrong = models.some(({ map }, index) => {
    const ahead = rounds[0]! - rounds[index]!
    return map === 0 ? ahead !== 0 : ahead < 0 || ahead > 1
  })
  if (wrong) throw new Error(`not of one instant: rounds ${rounds.join(', ')}`)
}

export function checkMany(
  keys: readonly { partition: number; number: number }[],
  found: readonly (MapEntry | undefined)[],
  shown: readonly Shown[],
): void {
  // Partition numbers alternate between the maps; `shown` has them map by map.
  const maps = shown.length / 2
  for (const [index, { partition, number }] of keys.entries()) {
    const { position } = shown[2 * (partition % maps) + Math.floor(partition / maps)]!
    checkEntry(`key ${number} of partition ${partition}`, found[index], shownRecord(number, position), true)
  }
}

export function checkChunk(
  { partition, keys }: Model,
  from: number,
  { limit, prefix, withValues }: MapChunkBounds,
  { entries, examined, next }: MapChunk,
  { position }: Shown,
): void {
  const isIn = ({ key, hash }: KnownKey) =>
    hash >= from && (next === undefined || hash < next) && (prefix === undefined || key.startsWith(prefix.toString()))
  const expected = keys.filter((key) => isIn(key) && key.shownAt(position) !== undefined)
  const where = `chunk of partition ${partition} from ${from} to ${next} at ${position}`
  const found = new Map(entries.map((entry) => [Buffer.from(entry.key).toString(), entry]))
  if (found.size !== entries.length) throw new Error(`${where}: a key comes twice`)
  if (entries.length !== expected.length) {
    throw new Error(`${where}: ${entries.length} entries instead of ${expected.length}`)
  }
  const isBounded = entries.length <= limit && examined >= entries.length
  if (!isBounded) throw new Error(`${where}: ${examined} examined, over ${limit}`)
  for (const { key, shownAt } of expected) {
    checkEntry(`${where}: ${key}`, found.get(key), shownAt(position), withValues)
  }
}

function checkEntry(what: string, entry: MapEntry | undefined, record: number | undefined, withValues: boolean): void {
  if (entry?.offset !== record) throw new Error(`${what} has record ${entry?.offset} instead of ${record}`)
  if (entry === undefined || record === undefined) return
  const isRight = withValues ? isValueOf(record, entry.value) : entry.value.length === 0
  if (!isRight) throw new Error(`${what} has a wrong value`)
}

/** @param count of all entries of a map */
export function checkCount(models: readonly Model[], shown: readonly Shown[], map: number, count: number): void {
  let expected = 0
  for (const [index, model] of models.entries()) {
    const { position } = shown[index]!
    if (model.map === map) expected += model.keys.filter((key) => key.shownAt(position) !== undefined).length
  }
  if (count !== expected) throw new Error(`map ${map} counts ${count} entries instead of ${expected}`)
}
