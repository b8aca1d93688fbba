/** Configuration of a further store thread, which takes the partitions that the topic gets while the store runs. */
import { loggerOf, RepeatedLog } from '../log/index.ts'
import type { StoreConfig } from '../store-protocol/store-config.ts'
import type { Assignment } from './assignment.ts'

const log = loggerOf('store')
const repeatedLog = new RepeatedLog(log, 0)

/**
 * The number of partitions that all store threads know. Each of them first marks that it has keys which belong elsewhere
 * now: others must not learn of the growth before.
 */
export class NotedCounts<T extends { readonly assignment: Pick<Assignment, 'partitionCount'> }> {
  readonly #noted = new Map<T, number>()

  note(thread: T, partitionCount: number): void {
    this.#noted.set(thread, partitionCount)
  }

  least(threads: readonly T[]): number {
    const known = (thread: T) => Math.max(this.#noted.get(thread) ?? 0, thread.assignment.partitionCount)
    return Math.min(...threads.map(known))
  }
}

/** For an instance with its own list of partitions. */
export function warnNotTaken(partitionCount: number): void {
  const message = 'The topic now has {partitionCount} partitions; this instance keeps its configured partitions'
  log.warn(message, { partitionCount })
}

/** @param known number of partitions so far; partitions with this number or a higher one are new */
export function configOfAdded(config: StoreConfig, known: number, partitionCount: number): StoreConfig {
  const added = Array.from({ length: partitionCount - known }, (_, index) => known + index)
  const message =
    'The topic now has {partitionCount} partitions: taking over {added}. Lookups of keys whose partition changed search the new partition first'
  repeatedLog.log('warning', 'topic-grew', message, { partitionCount, added: added.join(', ') })
  const others = { initialCapacity: 0, extendsChangelog: true, rebuild: false }
  if (config.elastic !== undefined) {
    return { ...config, partitions: [], partitionsReplica: [], elastic: { ...config.elastic, from: known }, ...others }
  }
  const role = config.useReplicaOnly ? { partitionsReplica: added } : { partitions: added, partitionsReplica: [] }
  return { ...config, ...role, ...others }
}
