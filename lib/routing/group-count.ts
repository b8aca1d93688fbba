/** Counts entries, and flushes, in the whole group. */
import { isInstance, LatchkeyError, messageOf } from '../errors.ts'
import type { EntryCount } from '../store-protocol/reads.ts'
import type { GroupAsker } from './group-asker.ts'
import { scatter } from './scatter.ts'

/** Less than a request to flush waits. */
const flushMsMax = 9_000

/** Counts each partition at one of its copies: at its primary, if that answers. Rejects unless all are counted. */
export async function countInGroup(asker: GroupAsker): Promise<EntryCount> {
  const epochs: Record<string, number> = {}
  const partitions = Array.from({ length: asker.routes.partitionCount }, (_, partition) => partition)
  const counts = await scatter<number>({
    attempted: asker.attempted,
    nameOf: (member) => asker.nameOf(member),
    partitions,
    candidates: (partition) => asker.routes.candidates(partition),
    ask: async (member, parts, timeoutMs) => {
      const counted = await asker.ask(member, { type: 'count', partitions: parts }, timeoutMs)
      epochs[asker.instanceOf(member)] = counted.epoch
      return parts.map((_, index) => counted.counts[index] ?? missingCount(asker, member))
    },
  })
  let sum = 0
  for (const count of counts) {
    if (isInstance(count, LatchkeyError)) throw count
    sum += count
  }
  return { epoch: 0, epochs, count: sum }
}

/**
 * Flushes all instances that are primary of a partition, at the same time. Rejects if one of them does not answer: the
 * others have flushed then.
 * @returns the number of operations made visible, in all of them
 */
export async function flushGroup(asker: GroupAsker): Promise<number> {
  const { routes } = asker
  const attempted = `Flushing ${asker.local.id}`
  const members = new Set<string>()
  for (let partition = 0; partition < routes.partitionCount; partition++) {
    const primary = routes.primaryOf(partition)
    if (primary === undefined) {
      const found = `no instance of the group is primary of partition ${partition} now. GET /group says why`
      throw new LatchkeyError('partition_unassigned', `${attempted}: ${found}`, { details: { partition } })
    }
    members.add(primary.memberId)
  }
  const failures: { url: string; said: string }[] = []
  const flushed = await Promise.all(
    [...members].map(async (member) => {
      try {
        return (await asker.ask(member, { type: 'flush' }, flushMsMax, attempted)).operations
      } catch (thrown) {
        failures.push({ url: asker.nameOf(member), said: messageOf(thrown) })
        return 0
      }
    }),
  )
  if (failures.length === 0) return flushed.reduce((sum, operations) => sum + operations, 0)
  const list = failures.map(({ url, said }) => `${url}: ${said}`).join('; ')
  const message = `${attempted}: ${failures.length} of ${members.size} instances have not flushed: ${list}. Ask again`
  throw new LatchkeyError('owner_unreachable', message, { details: { tried: failures } })
}

function missingCount(asker: GroupAsker, member: string): LatchkeyError {
  const found = `${asker.nameOf(member)} has not counted all partitions that it was asked for`
  return new LatchkeyError('owner_unreachable', `${asker.attempted}: ${found}`)
}
