/**
 * --rebuild in a group: notes that all partitions are to be rebuilt, before this instance joins. The next primary of each
 * finds the note, and does it. ../elastic/DESIGN.md has reasons.
 */
import { LatchkeyError } from '../errors.ts'
import { sleep } from '../kafka/backoff.ts'
import type { KafkaClient } from '../kafka/client.ts'
import { type DescribedGroup, describeGroup } from '../kafka/described-group.ts'
import { commitOffsets, type CommittedOffset, fetchCommitted } from '../kafka/offsets.ts'
import { hasBrokerCode, unknownMember } from '../kafka/protocol/error-codes.ts'
import { loggerOf } from '../log/index.ts'
import type { StoreConfig } from '../store-protocol/store-config.ts'
import { counted } from '../text/counted.ts'
import { groupOf } from '../topics/clients.ts'
import { rebuildingMetadata } from '../topics/completeness.ts'
import { hostsOf } from '../topics/manual-writer.ts'

const log = loggerOf('group')

/** Between two attempts, where the members that have prevented the first one are not there any more. */
const pauseMs = 500

/**
 * Notes that all partitions are to be rebuilt. The coordinator takes commits without a member id only
 * while the group has no members: so the note and a running group exclude each other, also if others start meanwhile.
 *
 * @throws LatchkeyError invalid_settings if the group has members; then nothing was noted
 */
export async function noteGroupRebuild(
  client: KafkaClient,
  config: StoreConfig,
  partitionCount: number,
): Promise<void> {
  const group = groupOf(config)
  const { sourceTopic } = config
  const partitions = Array.from({ length: partitionCount }, (_, partition) => partition)
  for (;;) {
    const committed = await client.retryForever(() => fetchCommitted(client, group, sourceTopic, partitions))
    const notes = notesOf(partitions, committed)
    try {
      await client.retryForever(() => commitOffsets(client, group, sourceTopic, notes))
      break
    } catch (error) {
      if (!hasBrokerCode(error, unknownMember)) throw error
    }
    const found = await client.retryForever(() => describeGroup(client, group))
    requireNoMembers(config, found)
    await sleep(pauseMs, client.signal)
  }
  const count = counted(partitionCount, 'partition')
  log.warn(`Group {group}: ${count} of {sourceTopic} will be rebuilt, because --rebuild asks for it`, {
    group,
    sourceTopic,
  })
}

/** The offsets stay as they are, as for an instance without a group. */
function notesOf(
  partitions: readonly number[],
  committed: ReadonlyMap<number, CommittedOffset>,
): Map<number, CommittedOffset> {
  const note = (partition: number): CommittedOffset => {
    return { offset: committed.get(partition)?.offset ?? 0, metadata: rebuildingMetadata }
  }
  return new Map(partitions.map((partition) => [partition, note(partition)]))
}

/** @throws LatchkeyError invalid_settings if the group has members */
export function requireNoMembers(config: StoreConfig, found: Pick<DescribedGroup, 'members'>): void {
  if (found.members.length === 0) return
  const count = counted(found.members.length, 'member')
  const message =
    `Rebuilding store ${config.storeId}: instances run already, ` +
    `as ${count} of group ${groupOf(config)} at ${hostsOf(found)}. ` +
    'End all of them, start one with --rebuild, and then the others without it. ' +
    'One that was killed counts until its session ends, after some seconds'
  throw new LatchkeyError('invalid_settings', message)
}
