/** I15: two instances never both claim to be current for one partition at one time. */
import type { FleetHistory, FleetRead } from './fleet-history.ts'

/** Between the broker's clock and the answers: one machine, whole milliseconds. */
const clockMs = 5

/**
 * A primary that claims a lag of 0 has taken its partition by a marker. So where one instance claims it, then surely another and then surely the
 * first again, there has to be a marker for each change, written after the claim before.
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
      const between = own && [...last.values()].find((other) => isBetween(other, own, claim))
      // It has lost the partition after its own last claim, and has taken it again since.
      const isTakenAgain =
        between && times.some((time) => time > between.sentAt - clockMs && time < claim.answeredAt + clockMs)
      if (between && !isTakenAgain) {
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
