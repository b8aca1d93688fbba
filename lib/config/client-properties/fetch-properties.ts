/** Properties of the two consumers. The ranges are those of librdkafka. */
import type { OffsetReset } from '../../store-protocol/client-config.ts'
import { choice, oneOf, text, trueOrFalse, whole } from './parsers.ts'
import { property, readers } from './property.ts'

const resets: Record<string, OffsetReset> = {
  earliest: 'earliest',
  smallest: 'earliest',
  beginning: 'earliest',
  latest: 'latest',
  largest: 'latest',
  end: 'latest',
  error: 'error',
}

function resetNotice(reset: OffsetReset): string | undefined {
  if (reset !== 'latest') return undefined
  return 'a partition that has neither a changelog nor a commit begins at its end: the store lacks every key that was not written since'
}

export const fetchProperties = [
  property('group.id', ['consumer'], text(), (draft, value) => (draft.source.groupId = value)),
  property('auto.commit.interval.ms', ['consumer'], whole(1, 86_400_000), (draft, value) => {
    draft.source.commitIntervalMs = value
  }),
  property(
    'auto.offset.reset',
    ['consumer'],
    choice(resets, 'earliest (smallest, beginning), latest (largest, end) or error'),
    (draft, value) => (draft.source.offsetReset = value),
    { notice: resetNotice },
  ),
  property('session.timeout.ms', ['consumer'], whole(1, 3_600_000), (draft, value) => {
    draft.source.sessionTimeoutMs = value
  }),
  property('heartbeat.interval.ms', ['consumer'], whole(1, 3_600_000), (draft, value) => {
    draft.source.heartbeatMs = value
  }),
  property('fetch.min.bytes', readers, whole(1, 100_000_000), (draft, value) => (draft.fetch.minBytes = value)),
  property('fetch.wait.max.ms', readers, whole(0, 300_000), (draft, value) => (draft.fetch.maxWaitMs = value)),
  property('fetch.max.bytes', readers, whole(0, 2_147_483_135), (draft, value) => (draft.fetch.maxBytes = value)),
  property(
    'max.partition.fetch.bytes',
    readers,
    whole(1, 1_000_000_000),
    (draft, value) => (draft.fetch.partitionMaxBytes = value),
    { aliases: ['fetch.message.max.bytes'] },
  ),
  property(
    'isolation.level',
    readers,
    oneOf('read_committed', 'read_uncommitted'),
    (draft, value) => (draft.fetch.isolation = value),
    {
      notice: (value) =>
        value === 'read_committed' ? undefined : 'records of open and aborted transactions are stored, too',
    },
  ),
  property('check.crcs', readers, trueOrFalse(), (draft, value) => (draft.fetch.checkCrcs = value), {
    notice: (value) => (value ? undefined : 'damaged record batches are not noticed'),
  }),
  property('client.rack', readers, text(), (draft, value) => (draft.fetch.rack = value)),
]
