/** The invariants of what lookups have shown. */
import { Durability } from './durability.ts'
import type { History, Instance, Loss, TopicRecord } from './history.ts'
import { placeOf, show } from './places.ts'

/** I1: what was read is what the source has at that offset, under that key. */
export function provenance({ source, reads, losses = [] }: History): string[] {
  const byPlace = new Map(source.map((record) => [placeOf(record.partition, record.offset), record]))
  const lost = new Set(losses.flatMap((loss) => loss.lost.map(({ key, value }) => `${key}=${value}`)))
  return reads.flatMap((read) => {
    if (read.value === null || lost.has(`${read.key}=${read.value}`)) return []
    const found = byPlace.get(placeOf(read.partition, read.src))
    if (found?.key === read.key && found.value === read.value) return []
    return [
      `I1 provenance: ${read.key} was read as ${read.value} of ${placeOf(read.partition, read.src)}, ${show(found)}`,
    ]
  })
}

/**
 * I3 and I4: of one key's reads the later never shows an older version, restarts included, and what is shown is in the changelog and was
 * acknowledged before. A 404 shows the first version without a value that may be meant.
 */
export function visibility(history: History): string[] {
  const { losses = [], instances } = history
  const durability = new Durability(history)
  const versions = versionsOf(history.source)
  const lossOf = new Map(losses.map((loss) => [loss.partition, loss]))
  const lost = new Set(losses.flatMap((loss) => loss.lost.map(({ key, value }) => `${key}=${value}`)))
  const shown = new Map<string, { version: number; instance: number }>()
  const wrong: string[] = []
  for (const read of history.reads) {
    if (lost.has(`${read.key}=${read.value}`)) continue
    const ofKey = versions.get(read.key) ?? []
    const loss = lossOf.get(ofKey[0]?.partition ?? read.partition)
    const before = shown.get(read.key)
    if (before && loss && isExcused(loss, instances[before.instance], instances[read.instance])) shown.delete(read.key)
    const from = shown.get(read.key)?.version ?? -1
    const version = versionOf(ofKey, read.src, read.value, from)
    if (version === undefined) {
      wrong.push(
        `I4 monotone: ${read.key} was read as ${read.value} (offset ${read.src}) by instance ${read.instance} ` +
          `after offset ${ofKey[from]?.offset ?? -1} had been shown`,
      )
      continue
    }
    shown.set(read.key, { version, instance: read.instance })
    const record = loss ? undefined : ofKey[version]
    const fault = record && durability.faultOf(record, read.instance, read.answeredAt)
    if (fault) wrong.push(`I3 durable before visible: ${read.key} was read as ${read.value}, ${fault}`)
  }
  return wrong
}

/**
 * A changelog that has lost what was acknowledged is mended by the instance that has it in memory. One that starts on it before that, or is
 * in the middle of it, knows no better.
 */
function isExcused(loss: Loss, before: Instance | undefined, now: Instance | undefined): boolean {
  return loss.topic === 'changelog' && before !== now && now !== undefined && now.startedAt > loss.at
}

/** Of each key, what the source has made of it, in order. */
export function versionsOf(source: readonly TopicRecord[]): Map<string, TopicRecord[]> {
  return Map.groupBy(source, ({ key }) => key)
}

/** The first version from `from` on that a read can mean: by its offset, or any without a value; -1 stands for "not there yet". */
export function versionOf(
  versions: readonly TopicRecord[],
  src: number,
  value: string | null,
  from: number,
): number | undefined {
  if (value === null && from < 0) return -1
  for (let index = Math.max(from, 0); index < versions.length; index++) {
    const version = versions[index]!
    if (value === null ? version.value === null : version.offset === src) return index
  }
  return undefined
}
