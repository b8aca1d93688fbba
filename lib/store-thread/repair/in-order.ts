/** Keys of a partition in ascending order of their source offsets, by so many at a time: the map is walked once for each portion. */
import { type ChiralMap, type KeyAt } from '../../map/index.ts'

/** Some ten milliseconds of a walk: other work gets its turn between. */
const stepsAtATime = 256

type Walked = Pick<ChiralMap, 'keysByOffset'>

/**
 * @param above only offsets above this
 * @param countMax unless further ones have the same offset as the last
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

/** Those without a source offset. */
export function keysWithoutOffset(map: Walked, partition: number): AsyncGenerator<KeyAt[]> {
  return walk(map, partition, (offset) => offset < 0)
}

/** Keys by hash, some hundred at a time, with room for other work between. */
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
