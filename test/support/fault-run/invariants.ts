/** The invariants of reference faults, each a function from a history to what it violates. Of reads: read-invariants.ts, cut-invariant.ts. */
import { indexAfter } from './changelog-times.ts'
import { cut } from './cut-invariant.ts'
import { Durability } from './durability.ts'
import type { Commit, History, TopicRecord } from './history.ts'
import { fold } from './oracle.ts'
import { placeOf, show } from './places.ts'
import { provenance, visibility } from './read-invariants.ts'

/** Everything that is wrong with a history, each beginning with the name of the invariant; at most `limit` of each. */
export function violations(history: History, limit = 5): string[] {
  const checks = [provenance, completeness, convergence, visibility, cut, logOrder, oneWriter, commitTruth]
  return checks.flatMap((check) => check(history).slice(0, limit))
}

/** I9: every record of the source is in the changelog, as it is. */
export function completeness({ source, changelog, losses = [] }: History): string[] {
  const bySource = new Map(changelog.records.map((record) => [placeOf(record.partition, record.src), record]))
  return source.flatMap((record) => {
    // A repair repeats the last record of each key only.
    if (losses.some(({ partition }) => partition === record.partition)) return []
    const copy = bySource.get(placeOf(record.partition, record.offset))
    if (copy?.key === record.key && copy.value === record.value) return []
    return [`I9 completeness: ${show(record)} of the source is in the changelog as ${show(copy)}`]
  })
}

/** I2: when all is quiet, source, changelog and lookups say the same of every key. */
export function convergence({ source, changelog, answers }: History): string[] {
  const wanted = fold(source)
  const written = fold(changelog.records)
  const wrong: string[] = []
  for (const [key, value] of wanted) {
    if ((written.get(key) ?? null) !== value) {
      wrong.push(`I2 convergence: ${key} is ${value} in the source, ${written.get(key)} in the changelog`)
    }
    if (answers.get(key) !== value) {
      wrong.push(`I2 convergence: ${key} is ${value} in the source, GET answers ${answers.get(key)}`)
    }
  }
  // A tombstone may have marked a discard of nothing, or have followed what the source has lost since.
  for (const [key, value] of written) {
    if (value !== null && !wanted.has(key)) wrong.push(`I2 convergence: only the changelog has ${key}`)
  }
  return wrong
}

/**
 * I6: within a partition the source offset never falls, except in identical repeats; a key's last record has its highest. Where the source
 * has lost records its offsets begin a second time, and so do those of a partition that is rebuilt.
 */
export function logOrder({ changelog, losses = [], instances }: History): string[] {
  const wrong: string[] = []
  const mayBeginAgain = losses.filter(({ topic, at }) => {
    return topic === 'source' || instances.some(({ startedAt }) => startedAt > at)
  })
  const begunAgain = new Set(mayBeginAgain.map(({ partition }) => partition))
  const highest = new Map<number, number>()
  const bySource = new Map<string, TopicRecord>()
  const last = new Map<string, TopicRecord>()
  const newest = new Map<string, number>()
  for (const record of changelog.records) {
    const { partition, key } = record
    if (begunAgain.has(partition)) continue
    const src = record.src < 0 ? (record.aft ?? -1) : record.src
    const place = placeOf(partition, src)
    const before = bySource.get(place)
    const isRepair = record.src < 0 && record.value === null
    if (src <= (highest.get(partition) ?? -1) && !isRepair && (before?.key !== key || before.value !== record.value)) {
      wrong.push(`I6 log order: ${show(record)} follows source offset ${highest.get(partition)}`)
    }
    highest.set(partition, Math.max(src, highest.get(partition) ?? -1))
    if (!isRepair) bySource.set(place, record)
    last.set(key, record)
    newest.set(key, Math.max(src, newest.get(key) ?? -1))
  }
  for (const [key, record] of last) {
    if (Math.max(record.src, record.aft ?? -1) !== newest.get(key)) {
      wrong.push(
        `I6 log order: the last record of ${key} is ${show(record)}, though there is offset ${newest.get(key)}`,
      )
    }
  }
  return wrong
}

/** I7: a writer of a changelog partition never writes again once another one has. */
export function oneWriter({ changelog, losses = [] }: History): string[] {
  const wrong: string[] = []
  const former = new Set<string>()
  const current = new Map<number, string>()
  for (const { partition, offset, producerId, epoch } of changelog.writings ?? []) {
    const writer = `producer ${producerId} of epoch ${epoch}`
    const before = current.get(partition)
    if (writer === before) continue
    const place = `${writer} in partition ${partition}`
    if (former.has(place) && losses.every((loss) => loss.partition !== partition)) {
      wrong.push(`I7 one writer: ${place} wrote at ${offset}, after ${before}`)
    }
    if (before !== undefined) former.add(`${before} in partition ${partition}`)
    current.set(partition, writer)
  }
  return wrong
}

/** I8: what is committed was acknowledged by the changelog before, and a commit never falls. */
function commitTruth(history: History): string[] {
  const durability = new Durability(history)
  const lossy = new Set(history.losses?.map(({ partition }) => partition))
  const commits = history.commits.filter(({ partition }) => !lossy.has(partition))
  return commitFaults({ ...history, commits }, (last, at) => durability.faultOf(last, durability.instanceAt(at), at))
}

/** @param faultOf why the last record that a commit covers may not be committed at that time; undefined where it may */
export function commitFaults(
  { source, commits }: { source: readonly TopicRecord[]; commits: readonly Commit[] },
  faultOf: (last: TopicRecord, at: number) => string | undefined,
): string[] {
  const committed = new Map<number, number>()
  const sources = Map.groupBy(source, ({ partition }) => partition)
  const wrong: string[] = []
  for (const { partition, offset, at } of commits) {
    const before = committed.get(partition) ?? -1
    if (offset < before) wrong.push(`I8 commit truth: partition ${partition} fell from ${before} to ${offset}`)
    committed.set(partition, offset)
    const records = sources.get(partition) ?? []
    const last = records[indexAfter(records, offset - 1, (record) => record.offset) - 1]
    const fault = last && faultOf(last, at)
    if (fault) wrong.push(`I8 commit truth: partition ${partition} was committed at ${offset}, ${fault}`)
  }
  return wrong
}
