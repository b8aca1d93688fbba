/** Places of parts of a feed, and of all of it. */
import type { ChangeId } from '../../store-protocol/change-id.ts'

/** Returns what a place says of some partitions. */
export function placeIn({ topicId, time, positions }: ChangeId, partitions: Iterable<number>): ChangeId {
  const some = new Map<number, number>()
  for (const partition of partitions) {
    const position = positions.get(partition)
    if (position !== undefined) some.set(partition, position)
  }
  return { topicId, time, positions: some }
}

/** Returns the place of a feed whose parts are at these places. It is as old as the oldest one. */
export function placeOfAll(places: readonly ChangeId[]): ChangeId {
  const [first] = places
  const isSame = places.every(({ topicId }) => topicId === first?.topicId)
  return {
    // Parts of another topic are not continued together.
    topicId: isSame && first !== undefined ? first.topicId : '',
    time: Math.min(...places.map(({ time }) => time)),
    positions: new Map(places.flatMap(({ positions }) => [...positions])),
  }
}

/** Returns a later place, with positions that are not before those of the former one: who names it may lie. */
export function laterPlace(former: ChangeId | undefined, place: ChangeId): ChangeId {
  if (former === undefined || former.topicId !== place.topicId) return place
  const isBehind = [...place.positions].some(([partition, at]) => at < (former.positions.get(partition) ?? 0))
  if (!isBehind) return place
  const positions = new Map(place.positions)
  for (const [partition, at] of former.positions) positions.set(partition, Math.max(at, positions.get(partition) ?? 0))
  return { ...place, positions }
}
