/** The invariant of answers with several keys. */
import type { History, Read, TopicRecord } from './history.ts'

/**
 * I5: what one answer shows of a partition is what its records up to one offset make. So there is an offset at which the last record of each key
 * is the one that was read.
 */
export function cut({ source, reads, losses = [] }: History): string[] {
  const versions = Map.groupBy(source, ({ key }) => key)
  const lossy = new Set(losses.map(({ partition }) => partition))
  const partitionOf = ({ key, partition }: Read) => versions.get(key)?.[0]?.partition ?? partition
  const together = reads.filter((read) => read.answer !== undefined && !lossy.has(partitionOf(read)))
  const parts = Map.groupBy(together, (read) => `${read.answer} ${partitionOf(read)}`)
  return [...parts.values()].flatMap((part) => {
    if (hasOffset(part, versions)) return []
    const shown = part.map(({ key, value, src }) => `${key}=${value} of ${src}`).join(', ')
    return [`I5 cut: no offset of partition ${partitionOf(part[0]!)} shows ${shown}`]
  })
}

function hasOffset(part: readonly Read[], versions: ReadonlyMap<string, readonly TopicRecord[]>): boolean {
  const spans = part.map((read) => spansOf(versions.get(read.key) ?? [], read))
  // If there is such an offset, the first record of one of the spans is one, too.
  const candidates = spans.flat().map(({ from }) => from)
  return candidates.some((offset) =>
    spans.every((ofKey) => ofKey.some(({ from, to }) => from <= offset && offset < to)),
  )
}

interface Span {
  from: number
  to: number
}

/** Offsets at which the key shows what was read. */
function spansOf(versions: readonly TopicRecord[], { value, src }: Read): Span[] {
  const spans = versions.flatMap((version, index) => {
    const isShown = value === null ? version.value === null : version.offset === src
    return isShown ? [{ from: version.offset, to: versions[index + 1]?.offset ?? Number.POSITIVE_INFINITY }] : []
  })
  const first = versions[0]?.offset ?? Number.POSITIVE_INFINITY
  return value === null ? [{ from: -1, to: first }, ...spans] : spans
}
