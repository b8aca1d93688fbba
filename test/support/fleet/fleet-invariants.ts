/** The invariants of a fleet, each a function from a history to what it violates. The log's own are those of one instance (../fault-run). */
import { ChangelogTimes } from '../fault-run/changelog-times.ts'
import type { TopicRecord } from '../fault-run/history.ts'
import { commitFaults, completeness, convergence, logOrder, oneWriter } from '../fault-run/invariants.ts'
import { provenance, versionOf, versionsOf } from '../fault-run/read-invariants.ts'
import { oneClaim } from './claims.ts'
import type { FleetHistory, FleetRead } from './fleet-history.ts'

/** Between what happens in the changelog and what an instance shows of it: a flush, a Fetch, a busy machine. */
const slackMs = 1_500

/** Everything that is wrong with a history, each beginning with the name of the invariant; at most `limit` of each. */
export function fleetViolations(history: FleetHistory, limit = 5): string[] {
  const checks = [
    provenance,
    completeness,
    convergence,
    durable,
    monotone,
    logOrder,
    oneWriter,
    commitTruth,
    noWrongMiss,
    trueLag,
    oneClaim,
  ]
  return checks.flatMap((check) => check(history).slice(0, limit))
}

/** I3: what is shown is in the changelog; what a primary shows was acknowledged before, or lies before a marker of then. */
function durable(history: FleetHistory): string[] {
  const times = new ChangelogTimes(history.changelog, history.acknowledgements)
  return history.reads.flatMap((read) => {
    if (read.value === null) return []
    const offset = times.offsetOf(read.partition, read.src)
    if (offset === undefined) return [`I3 durable before visible: ${shown(read)} is not in the changelog`]
    if (read.role === 'replica' || times.acknowledgedAt(read.partition, offset) <= read.answeredAt) return []
    if (isTaken(history, read.partition, offset, read.answeredAt)) return []
    return [`I3 durable before visible: ${shown(read)} before offset ${offset} was acknowledged`]
  })
}

/** Whether this offset of the changelog lies before a marker of then: who took the partition has read it. */
function isTaken({ changelog, epochMs }: FleetHistory, partition: number, offset: number, time: number): boolean {
  return changelog.markers.some((marker) => {
    return marker.partition === partition && marker.offset > offset && marker.timestamp <= time + epochMs + 1
  })
}

/** I4: of one key's reads the later never shows an older version: of those with max-lag=0 at any instance, of others at each. */
function monotone({ source, reads }: FleetHistory): string[] {
  const versions = versionsOf(source)
  const sequences = new Map<string, number>()
  const wrong: string[] = []
  for (const read of reads) {
    const names = [`${read.key} at ${read.instance}`, ...(read.maxLag === 0 ? [`${read.key} with max-lag=0`] : [])]
    for (const name of names) {
      const from = sequences.get(name) ?? -1
      const ofKey = versions.get(read.key) ?? []
      const version = versionOf(ofKey, read.src, read.value, from)
      if (version === undefined) {
        wrong.push(`I4 monotone: ${name}: ${shown(read)} after offset ${ofKey[from]?.offset ?? -1}`)
      } else sequences.set(name, version)
    }
  }
  return wrong
}

/** I8: what is committed was acknowledged by the changelog before, and a commit that the broker took never falls. */
function commitTruth(history: FleetHistory): string[] {
  const times = new ChangelogTimes(history.changelog, history.acknowledgements)
  const commits = history.commits.filter(({ isRefused }) => !isRefused)
  return commitFaults({ ...history, commits }, ({ partition, offset: src }, at) => {
    const offset = times.offsetOf(partition, src)
    if (offset === undefined) return `and source offset ${src} is not in the changelog`
    if (times.acknowledgedAt(partition, offset) <= at || isTaken(history, partition, offset, at)) return undefined
    return `before changelog offset ${offset} was acknowledged`
  })
}

/** I13: no miss of a key that was in the changelog before the lookup began, or before the stated lag, and was not deleted since. */
function noWrongMiss(history: FleetHistory): string[] {
  const known = new Known(history)
  return history.reads.flatMap((read) => {
    if (read.value !== null || read.lag === null) return []
    const versions = known.from(read)
    const mayMiss = versions === undefined || versions.some(({ value }) => value === null)
    return mayMiss ? [] : [`I13 no wrong miss: ${shown(read)}, and the changelog had ${versions[0]!.value}`]
  })
}

/** I14: what an answer says of its lag is true; a primary that says nothing claims 0. */
function trueLag(history: FleetHistory): string[] {
  const known = new Known(history)
  return history.reads.flatMap((read) => {
    if (read.value === null || read.lag === null) return []
    const [oldest] = known.from(read) ?? []
    if (oldest === undefined || read.src >= oldest.offset) return []
    return [`I14 true lag: ${shown(read)} with lag ${read.lag}, and the changelog had source offset ${oldest.offset}`]
  })
}

/** What an answer with a lag may show. */
class Known {
  readonly #times: ChangelogTimes
  readonly #versions: ReadonlyMap<string, readonly TopicRecord[]>

  constructor({ source, changelog, acknowledgements }: FleetHistory) {
    this.#times = new ChangelogTimes(changelog, acknowledgements)
    this.#versions = versionsOf(source)
  }

  /** Versions of the key that the answer may mean, the oldest first; undefined if also none at all. */
  from({ key, sentAt, lag }: FleetRead): readonly TopicRecord[] | undefined {
    const versions = this.#versions.get(key) ?? []
    const [first] = versions
    if (first === undefined) return undefined
    const end = this.#times.endAt(first.partition, sentAt - slackMs) - (lag ?? 0)
    const isIn = ({ partition, offset }: TopicRecord) => (this.#times.offsetOf(partition, offset) ?? end) < end
    const oldest = versions.findLastIndex(isIn)
    return oldest < 0 ? undefined : versions.slice(oldest)
  }
}

function shown({ key, value, src, partition, role, instance, asked, answeredAt }: FleetRead): string {
  const by = instance === asked ? `instance ${instance}` : `instance ${instance} for ${asked}`
  return `${key}=${value} (${partition}/${src}), read at ${Math.round(answeredAt)} of ${role} ${by}`
}
