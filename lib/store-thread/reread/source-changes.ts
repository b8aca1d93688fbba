/** Error texts about a source that changed while the store runs, and the checks for changes that end the store. */
import { LatchkeyError } from '../../errors.ts'
import type { StoreConfig } from '../../store-protocol/store-config.ts'
import { counted } from '../../text/counted.ts'
import type { StoreContext } from '../store-context.ts'
import type { SourceChange } from './source-watch.ts'

/** @param position source offset up to which the source was read */
export function changedReason(
  { sourceTopic }: StoreConfig,
  partition: number,
  change: SourceChange,
  position: number,
): string {
  const where = `${sourceTopic} partition ${partition}`
  if (change.kind === 'recreated') {
    const found = `the topic was deleted and created again: its id is ${change.id}, it had been ${change.former}`
    return `${where}: ${found}; what is held of it is discarded and rebuilt from the new topic`
  }
  const lost = position - change.at
  const found = `the source lost ${counted(lost, 'record')} that had been read: it was truncated at offset ${change.at}, where ${position} had been reached`
  return `${where}: ${found}; keys that they changed are read again. Look for an unclean leader election`
}

/**
 * Only the map shows which keys must be deleted.
 * @throws LatchkeyError store_failed with USE_PROCESSING_ONLY, where there is no map
 */
export function requireMemory({ sourceTopic, changelogTopic, useProcessingOnly }: StoreConfig): void {
  if (!useProcessingOnly) return
  const advice = 'start it once without USE_PROCESSING_ONLY, which deletes them'
  const found = `the topic was recreated or truncated, and outdated records are still in ${changelogTopic}: ${advice}`
  throw new LatchkeyError('store_failed', `Reading ${sourceTopic}: ${found}`)
}

/**
 * Checks the partition count of a recreated source. With fewer partitions it does not fit the changelog.
 * @throws LatchkeyError topics_unfit
 */
export async function requireSamePartitions({
  clients,
  config,
  topology,
}: Pick<StoreContext, 'clients' | 'config' | 'topology'>): Promise<void> {
  const { sourceTopic, changelogTopic } = config
  const client = clients.consumer
  const [found] = await client.retryForever(() => client.metadata([sourceTopic]))
  const count = found!.partitions.length
  if (found!.errorCode !== 0 || count >= topology.partitionCount) return
  throw new LatchkeyError(
    'topics_unfit',
    `Reading ${sourceTopic}: it was recreated with ${counted(count, 'partition')}, ${changelogTopic} has ${topology.partitionCount}: ` +
      `they must be equal; delete ${changelogTopic}, and it is created again from the source`,
  )
}
