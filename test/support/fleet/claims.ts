/** I15: two instances never both claim to be current for one partition at one time. */
import type { FleetHistory, FleetRead } from './fleet-history.ts'

/** Between the broker's clock and the answers: one machine, whole milliseconds. */
const clockMs = 5
/** A primary claims on after the marker of the next one, until that has read up to it. */
const promotionMs = 3_000

/**
 * A primary takes its partition by a marker, and claims a lag of 0 afterwards. So where one instance claims it, then surely another and then surely
 * the first again, there have to be two markers, one after the other: of each change, at most a promotion before the last claim of the owner of before.
 */
export function oneClaim({ reads, changelog, epochMs }: FleetHistory): string[] {
  const claims = reads.filter(({ role, lag, partition }) => role === 'primary' && lag === 0 && partition >= 0)
  const byPartition = Map.groupBy(claims, ({ partition }) => partition)
  const wrong: string[] = []
  for (const [partition, ofPartition] of byPartition) {
    const markers = changelog.markers.filter((marker) => marker.partition === partition)
    const times = markers.map(({ timestamp }) => timestamp - epochMs).toSorted((a, b) => a - b)
    /** Of each instance, its last claim so far. */
    const last = new Map<number, FleetRead>()
    for (const claim of ofPartition.toSorted((a, b) => a.sentAt - b.sentAt)) {
      const own = last.get(claim.instance)
      const others = [...last.values()].filter((other) => own !== undefined && isBetween(other, own, claim))
      const between = others.toSorted((a, b) => b.sentAt - a.sentAt)[0]
      if (own && between && !isTakenTwice(times, own, between, claim)) {
        wrong.push(
          `I15 one claim: instance ${claim.instance} claims partition ${partition} at ${Math.round(own.answeredAt)} and ` +
            `${Math.round(claim.sentAt)}, instance ${between.instance} at ${Math.round(between.sentAt)} in between`,
        )
      }
      last.set(claim.instance, claim)
    }
  }
  return wrong
}

/** Whether the whole of another instance's claim lies after one claim and before the next. */
function isBetween(other: FleetRead, own: FleetRead, claim: FleetRead): boolean {
  return other.instance !== claim.instance && other.sentAt > own.answeredAt && other.answeredAt < claim.sentAt
}

/** @param times of the partition's markers, rising */
function isTakenTwice(times: readonly number[], own: FleetRead, between: FleetRead, claim: FleetRead): boolean {
  const first = times.findIndex((time) => time >= own.sentAt - promotionMs)
  if (first < 0 || times[first]! > between.answeredAt + clockMs) return false
  const next = times.findIndex((time, index) => index > first && time >= between.sentAt - promotionMs)
  return next >= 0 && times[next]! <= claim.answeredAt + clockMs
}
