/** Properties of the changelog producer. The ranges are those of librdkafka, except that acks=0 is not allowed. */
import { choice, decimal, type PropertyType, text, trueOrFalse, whole } from './parsers.ts'
import { property } from './property.ts'

const int32Max = 2_147_483_647

const acks: PropertyType<-1 | 1> = {
  allowed: 'all, -1 or 1 (0 is none: only what the changelog has acknowledged may be shown)',
  read(given) {
    const word = given.trim().toLowerCase()
    if (word === 'all' || word === '-1') return -1
    if (word === '1') return 1
    throw new RangeError(this.allowed)
  },
}

/** Numbers of the codecs in the attributes of a batch, in ascending order. */
export const codecs = { none: 0, gzip: 1, snappy: 2, lz4: 3, zstd: 4 } as const

const acksNotice = 'what the leader alone has acknowledged is shown, and may be lost with it'
const idempotenceNotice = 'a batch that is sent again may be written twice, after newer ones'

export const produceProperties = [
  property('acks', ['producer'], acks, (draft, value) => (draft.produce.acks = value), {
    aliases: ['request.required.acks'],
    notice: (value) => (value === -1 ? undefined : acksNotice),
  }),
  property('request.timeout.ms', ['producer'], whole(1, 900_000), (draft, value) => (draft.produce.timeoutMs = value)),
  property('message.max.bytes', ['producer'], whole(1_000, 1_000_000_000), (draft, value) => {
    draft.produce.messageBytesMax = value
  }),
  property('linger.ms', ['producer'], decimal(0, 900_000), (draft, value) => (draft.produce.lingerMs = value), {
    aliases: ['queue.buffering.max.ms'],
  }),
  property('batch.size', ['producer'], whole(1, int32Max), (draft, value) => (draft.produce.batchBytes = value)),
  property(
    'batch.num.messages',
    ['producer'],
    whole(1, 1_000_000),
    (draft, value) => (draft.produce.batchRecordsMax = value),
  ),
  property(
    'compression.type',
    ['producer'],
    choice<0 | 1 | 2 | 3 | 4>(codecs),
    (draft, value) => (draft.produce.compression = value),
    {
      aliases: ['compression.codec'],
    },
  ),
  property('compression.level', ['producer'], whole(-1, 12), (draft, value) => {
    draft.produce.compressionLevel = value === -1 ? null : value
  }),
  property('enable.idempotence', ['producer'], trueOrFalse(), (draft, value) => (draft.produce.isIdempotent = value), {
    notice: (value) => (value ? undefined : idempotenceNotice),
  }),
  property('transactional.id', ['producer'], text(), (draft, value) => (draft.produce.transactionalIdPrefix = value)),
  property('transaction.timeout.ms', ['producer'], whole(1_000, int32Max), (draft, value) => {
    draft.produce.transactionTimeoutMs = value
  }),
]
