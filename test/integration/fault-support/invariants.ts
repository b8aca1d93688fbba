/** The invariants of reference faults, each a function from a history to what it violates. */
import { Durability } from './durability.ts'
import type { History, TopicRecord } from './history.ts'
import { fold } from './oracle.ts'

/** Everything that is wrong with a history, each beginning with the name of the invariant; at most `limit` of each. */
export function violations(history: History, limit = 5): string[] {
  const checks = [provenance, completeness, convergence, visibility, logOrder, commitTruth]
  return checks.flatMap((check) => check(history).slice(0, limit))
}

/** I1: what was read is what the source has at that offset, under that key. */
function provenance({ source, reads }: History): string[] {
  const byPlace = new Map(source.map((record) => [placeOf(record.partition, record.offset), record]))
  return reads.flatMap((read) => {
    if (read.value === null) return []
    const found = byPlace.get(placeOf(read.partition, read.src))
    if (found?.key === read.key && found.value === read.value) return []
    return [
      `I1 provenance: ${read.key} was read as ${read.value} of ${placeOf(read.partition, read.src)}, ${show(found)}`,
    ]
  })
}

/** I9: every record of the source is in the changelog, as it is. */
export function completeness({ source, changelog }: History): string[] {
  const bySource = new Map(changelog.records.map((record) => [placeOf(record.partition, record.src), record]))
  return source.flatMap((record) => {
    const copy = bySource.get(placeOf(record.partition, record.offset))
    if (copy?.key === record.key && copy.value === record.value) return []
    return [`I9 completeness: ${show(record)} of the source is in the changelog as ${show(copy)}`]
  })
}

/** I2: when all is quiet, source, changelog and lookups say the same of every key. */
function convergence({ source, changelog, answers }: History): string[] {
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
  for (const key of written.keys()) if (!wanted.has(key)) wrong.push(`I2 convergence: only the changelog has ${key}`)
  return wrong
}

/**
 * I3 and I4: of one key's reads the later never shows an older version, restarts included, and what is shown is in the changelog and was
 * acknowledged before. A 404 shows the first version without a value that may be meant.
 */
export function visibility(history: History): string[] {
  const durability = new Durability(history)
  const versions = versionsOf(history.source)
  const shown = new Map<string, number>()
  const wrong: string[] = []
  for (const read of history.reads) {
    const ofKey = versions.get(read.key) ?? []
    const from = shown.get(read.key) ?? -1
    const version = versionOf(ofKey, read.src, read.value, from)
    if (version === undefined) {
      wrong.push(
        `I4 monotone: ${read.key} was read as ${read.value} (offset ${read.src}) by instance ${read.instance} ` +
          `after offset ${ofKey[from]?.offset ?? -1} had been shown`,
      )
      continue
    }
    shown.set(read.key, version)
    const record = ofKey[version]
    const fault = record && durability.faultOf(record, read.instance, read.answeredAt)
    if (fault) wrong.push(`I3 durable before visible: ${read.key} was read as ${read.value}, ${fault}`)
  }
  return wrong
}

/** I6: within a partition the source offset never falls, except in identical repeats; a key's last record has its highest. */
export function logOrder({ changelog }: History): string[] {
  const wrong: string[] = []
  const highest = new Map<number, number>()
  const bySource = new Map<string, TopicRecord>()
  const last = new Map<string, TopicRecord>()
  const newest = new Map<string, number>()
  for (const record of changelog.records) {
    const { partition, src, key } = record
    const place = placeOf(partition, src)
    const before = bySource.get(place)
    if (src <= (highest.get(partition) ?? -1) && (before?.key !== key || before.value !== record.value)) {
      wrong.push(`I6 log order: ${show(record)} follows source offset ${highest.get(partition)}`)
    }
    highest.set(partition, Math.max(src, highest.get(partition) ?? -1))
    bySource.set(place, record)
    last.set(key, record)
    newest.set(key, Math.max(src, newest.get(key) ?? -1))
  }
  for (const [key, record] of last) {
    if (record.src !== newest.get(key)) {
      wrong.push(
        `I6 log order: the last record of ${key} is ${show(record)}, though there is offset ${newest.get(key)}`,
      )
    }
  }
  return wrong
}

/** I8: what is committed was acknowledged by the changelog before, and a commit never falls. */
function commitTruth(history: History): string[] {
  const durability = new Durability(history)
  const committed = new Map<number, number>()
  const wrong: string[] = []
  for (const { partition, offset, at } of history.commits) {
    const before = committed.get(partition) ?? -1
    if (offset < before) wrong.push(`I8 commit truth: partition ${partition} fell from ${before} to ${offset}`)
    committed.set(partition, offset)
    const last = history.source.findLast((record) => record.partition === partition && record.offset < offset)
    const fault = last && durability.faultOf(last, durability.instanceAt(at), at)
    if (fault) wrong.push(`I8 commit truth: partition ${partition} was committed at ${offset}, ${fault}`)
  }
  return wrong
}

/** Of each key, what the source has made of it, in order. */
function versionsOf(source: readonly TopicRecord[]): Map<string, TopicRecord[]> {
  return Map.groupBy(source, ({ key }) => key)
}

/** The first version from `from` on that a read can mean: by its offset, or any without a value; -1 stands for "not there yet". */
function versionOf(
  versions: readonly TopicRecord[],
  src: number,
  value: string | null,
  from: number,
): number | undefined {
  if (value === null && from < 0) return -1
  const found = versions.findIndex((version, index) => {
    return index >= from && (value === null ? version.value === null : version.offset === src)
  })
  return found < 0 ? undefined : found
}

function placeOf(partition: number, offset: number): string {
  return `${partition}/${offset}`
}

function show(record: TopicRecord | undefined): string {
  if (record === undefined) return 'nothing'
  const { partition, offset, key, value, src } = record
  return `${key}=${value} at ${placeOf(partition, offset)}${src < 0 ? '' : ` (source offset ${src})`}`
}
