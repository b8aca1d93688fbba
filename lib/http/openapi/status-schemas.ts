/** Schemas of a store's status. Their members are those of the types in store-protocol/status.ts. */
import { skippedReasons, type SkippedRecord, type SkippedRecords } from '../../store-protocol/skipped.ts'
import { snapshotRefusals } from '../../store-protocol/snapshot-refusal.ts'
import {
  type Condition,
  type MemoryStatus,
  partitionStates,
  type PartitionStatus,
  type PartitionTrouble,
  recoveryPhases,
  type RecoveryProgress,
  type SnapshotStatus,
  storeStates,
  type StoreStatus,
} from '../../store-protocol/status.ts'
import { groupSchemas } from './group-schemas.ts'
import { count, described, enumOf, flag, listOf, number, objectOf, orNull, ref, type Schema, text } from './schema.ts'

const snapshot = () =>
  objectOf<SnapshotStatus>({
    start: described('Why the last start did not use it', enumOf(snapshotRefusals)),
    position: described('Next changelog offset', orNull(count)),
    ageSeconds: orNull(number),
    entries: orNull(count),
    bytes: orNull(count),
    seconds: described('Time that it took to write', orNull(number)),
  })

const trouble = () =>
  objectOf<PartitionTrouble>({
    partition: count,
    client: text,
    broker: orNull(text),
    since: described('ISO 8601', text),
    message: text,
  })

const skippedRecord = () =>
  objectOf<SkippedRecord>(
    {
      at: described('In ms since the epoch', count),
      partition: count,
      offset: described('Source offset', count),
      lastOffset: described('Only of a batch that could not be read', count),
      reason: enumOf(skippedReasons.map(([reason]) => reason)),
      fault: described('What is wrong, without anything of the record', text),
    },
    'lastOffset',
  )

const statusMembers = () => ({
  id: text,
  topics: objectOf<StoreStatus['topics']>({
    source: described('null of a replica without a source', orNull(text)),
    changelog: text,
  }),
  formats: objectOf<StoreStatus['formats']>({ key: text, value: text }),
  state: enumOf(storeStates),
  reason: text,
  partitions: objectOf<StoreStatus['partitions']>({ primary: listOf(count), replicas: listOf(count) }),
  caughtUp: flag,
  recovery: { anyOf: [ref('RecoveryProgress'), { type: 'null' }] },
  memory: objectOf<MemoryStatus>({
    state: enumOf(['ok', 'full']),
    max: described('MEMORY_MAX', orNull(count)),
    budget: described('What it leaves for keys, values and their index', orNull(number)),
    used: number,
    free: number,
  }),
  skipped: objectOf<SkippedRecords>(
    {
      total: count,
      byReason: {
        type: 'object',
        properties: Object.fromEntries(skippedReasons.map(([reason]) => [reason, count])),
      },
      last: described('The last ten, the latest first', listOf(ref('SkippedRecord'))),
    },
    'last',
  ),
  details: listOf(ref('PartitionStatus')),
  conditions: listOf(ref('Condition')),
  group: ref('GroupStatus'),
})

/** Returns the schema of a member of StoreStatus. */
export function memberOfStatus(name: keyof StoreStatus): Schema {
  return statusMembers()[name]
}

export function statusSchemas(): Readonly<Record<string, Schema>> {
  return {
    Condition: objectOf<Condition>({ name: text, ok: flag, reason: text }, 'reason'),
    RecoveryProgress: objectOf<RecoveryProgress>({
      phase: enumOf(recoveryPhases),
      records: count,
      bytes: count,
      recordsPerSecond: number,
      percent: { type: 'number', minimum: 0, maximum: 100 },
      remainingSeconds: described('null while there is no rate yet', orNull(number)),
    }),
    PartitionStatus: objectOf<PartitionStatus>(
      {
        partition: count,
        role: enumOf(['primary', 'replica']),
        state: ref('PartitionState'),
        position: described('Next source offset to consume; of a replica, next changelog offset', orNull(count)),
        end: described('End of the source; of a replica, of the changelog', orNull(count)),
        lag: described('In records', orNull(count)),
        entries: count,
        liveBytes: count,
        totalBytes: count,
        indexBytes: count,
        snapshot: described('Only with SNAPSHOT_DIR', snapshot()),
        reason: text,
        troubles: listOf(trouble()),
      },
      'snapshot',
      'reason',
      'troubles',
    ),
    PartitionState: enumOf(partitionStates),
    SkippedRecord: skippedRecord(),
    StoreStatus: objectOf<StoreStatus>(statusMembers(), 'reason', 'group'),
    ...groupSchemas(),
  }
}
