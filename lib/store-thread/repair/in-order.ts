/**
 * Iterates over the keys of a partition in ascending order of their source offsets, in portions. Each portion walks the
 * map once.
 */
import type { ChiralMap, KeyAt } from '../../map/index.ts'

/** Number of steps, about ten milliseconds, after which other work gets its turn. */
const stepsAtATime = 256

type Walked = Pick<ChiralMap, 'keysByOffset'>

/**
 * @param above only keys with higher offsets are returned
 * @param countMax maximum number of keys; more are returned only if they have the same offset as the last
 */
export async function nextKeys(map: Walked, partition: number, above: number, countMax: number): Promise<KeyAt[]> {
  let found: KeyAt[] = []
  let highest = Number.POSITIVE_INFINITY
  const isWanted = (offset: number) => offset > above && offset <= highest
  for await (const step of walk(map, partition, isWanted)) {
    for (const key of step) found.push(key)
    if (found.length < 2 * countMax) continue
    found = lowest(found, countMax)
    highest = found.at(-1)!.offset
  }
  return lowest(found, countMax)
}

/** Returns the keys without a source offset. */
export function keysWithoutOffset(map: Walked, partition: number): AsyncGenerator<KeyAt[]> {
  return walk(map, partition, (offset) => offset < 0)
}

/** Yields keys in hash order, some hundred at a time, and lets other work run in between. */
export async function* walk(
  map: Walked,
  partition: number,
  isWanted: (offset: number) => boolean,
): AsyncGenerator<KeyAt[]> {
  let steps = 0
  for (const step of map.keysByOffset(partition, isWanted)) {
    if (step.length > 0) yield step
    if (++steps % stepsAtATime === 0) await new Promise((resolve) => setImmediate(resolve))
  }
}

function lowest(keys: KeyAt[], countMax: number): KeyAt[] {
  keys.sort((a, b) => a.offset - b.offset)
  if (keys.length <= countMax) return keys
  const last = keys[countMax - 1]!.offset
  let count = countMax
  while (count < keys.length && keys[count]!.offset === last) count++
  return keys.slice(0, count)
}
