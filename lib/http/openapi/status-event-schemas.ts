/** Schemas of the events of a status. Their members are those of the types in status-events/status-event.ts. */
import type { GroupRow } from '../../group-protocol/describe-group.ts'
import { groupStates } from '../../group-protocol/group-status.ts'
import { conditionNames } from '../../store-protocol/status.ts'
import { shownPartitionsMax } from '../status-events/status-event-of.ts'
import type {
  Rates,
  ShownCondition,
  ShownGroup,
  ShownMemory,
  ShownPartition,
  ShownSetting,
  ShownSnapshots,
  StatusEvent,
} from '../status-events/status-event.ts'
import { count, described, enumOf, flag, listOf, number, objectOf, orNull, ref, type Schema, text } from './schema.ts'
import { memberOfStatus } from './status-schemas.ts'

const rates = () =>
  objectOf<Rates>({
    recordsIn: count,
    changelogWrites: count,
    lookups: described('Over HTTP and the Redis protocol', count),
    p99Ms: described('Time of 99 of 100 lookups over HTTP; null if there was none', orNull(number)),
  })

const condition = () =>
  objectOf<ShownCondition>(
    {
      name: enumOf([...conditionNames, 'running']),
      ok: flag,
      reason: text,
      advice: described('What a person can do about it', text),
    },
    'reason',
  )

const partition = () =>
  objectOf<ShownPartition>(
    {
      partition: count,
      role: enumOf(['primary', 'replica']),
      state: ref('PartitionState'),
      position: orNull(count),
      end: orNull(count),
      lag: orNull(count),
      entries: count,
      liveBytes: count,
      deadBytes: count,
      indexBytes: count,
      snapshotAgeSeconds: orNull(count),
      reason: text,
    },
    'reason',
  )

const memory = () =>
  objectOf<ShownMemory>({
    state: enumOf(['ok', 'full']),
    max: orNull(count),
    budget: orNull(number),
    used: number,
    free: number,
    resident: described('Of the process', count),
    live: count,
    dead: count,
    index: count,
  })

const snapshots = () =>
  objectOf<ShownSnapshots>({
    partitions: described('That have one', count),
    ageSeconds: described('Of the oldest', orNull(count)),
    bytes: count,
    taken: count,
    failed: count,
    starts: described('Partitions by how the last start found their snapshot', mapOf(count)),
  })

const group = () =>
  objectOf<ShownGroup>({
    name: text,
    state: enumOf(groupStates),
    generation: number,
    isLeader: flag,
    leaseSeconds: count,
    instances: listOf(
      objectOf<GroupRow>({
        url: text,
        reached: enumOf(['itself', 'yes', 'no', 'not known']),
        primary: described('Partitions, such as 0-3, 7', text),
        standby: text,
        reads: described('Partitions that it reads in order to be their primary', text),
      }),
    ),
    notes: described('What differs from a group that is at rest', listOf(text)),
  })

const setting = () =>
  objectOf<ShownSetting>({
    name: text,
    value: described('null if there is none, and of a secret', orNull(text)),
    isSecret: flag,
    isGiven: flag,
    origin: described('flag, environment, the path of a file, or default', text),
  })

const statusEvent = () =>
  objectOf<StatusEvent>(
    {
      id: text,
      topic: described('null of a replica without a source', orNull(text)),
      changelog: text,
      instance: described('Host name', text),
      version: text,
      respPort: described('Of the Redis protocol', orNull(count)),
      state: memberOfStatus('state'),
      reason: text,
      isCaughtUp: flag,
      uptimeSeconds: described('Of the process', count),
      formats: memberOfStatus('formats'),
      progress: memberOfStatus('recovery'),
      isReady: flag,
      conditions: described('That fail, or have something to say', listOf(condition())),
      rates: described('Of the last second', rates()),
      history: described('Of two minutes, the oldest first; only in the first event of a stream', listOf(rates())),
      totals: objectOf<StatusEvent['totals']>({ partitions: count, entries: count, lag: orNull(count) }),
      partitions: described(`Those that need attention first; ${shownPartitionsMax} at most`, listOf(partition())),
      partitionsOmitted: count,
      badRecords: objectOf<StatusEvent['badRecords']>({
        total: count,
        byReason: mapOf(count),
        last: listOf(ref('SkippedRecord')),
      }),
      memory: memory(),
      snapshots: described('null without SNAPSHOT_DIR', { anyOf: [snapshots(), { type: 'null' }] }),
      group: described('null without ELASTIC', { anyOf: [group(), { type: 'null' }] }),
      settings: listOf(setting()),
    },
    'reason',
    'history',
  )

export function statusEventSchemas(): Readonly<Record<string, Schema>> {
  return {
    StatusEvent: statusEvent(),
    StatusServerEvent: described('A server-sent event; data is a StatusEvent as JSON', {
      type: 'object',
      properties: {
        event: { const: 'status' },
        data: { type: 'string', contentMediaType: 'application/json', contentSchema: ref('StatusEvent') },
        id: text,
        retry: text,
      },
    }),
  }
}

function mapOf(values: Schema): Schema {
  return { type: 'object', additionalProperties: values }
}
