/**
 * Every setting, once: how its text is parsed and what --help, the error text and the documentation say about it.
 * Further settings are added here and nowhere else.
 */
import * as v from 'valibot'
import {
  brokerList,
  decimalNumber,
  listenAddress,
  topicLengthMax,
  topicName,
  trueOrFalse,
  wholeNumber,
} from './values.ts'

export interface SettingMetadata {
  /** Name in the environment and in `.env`; the flag follows from it: SOURCE_TOPIC is --source-topic. */
  variable: string
  meaning: string
  /** Completes "it must be …". */
  allowed: string
  /** Shown as the default; absent for a required setting. */
  default?: string
  /** A flag that may stand without a value, which then is true; `--no-…` is false. */
  isSwitch?: true
}

const topicAllowed = `1 to ${topicLengthMax} characters of a-z, A-Z, 0-9, ".", "_" and "-", but not "." or ".."`
const capacityMax = 1_000_000_000
const secondsMin = 0.001
const secondsMax = 86_400
/** Operations that may await a flush: 8 bytes each. */
const flushCountMax = 10_000_000
const readersMax = 4_096

const entries = {
  sourceTopic: v.pipe(
    topicName(),
    v.metadata({ variable: 'SOURCE_TOPIC', meaning: 'Topic whose latest values are served.', allowed: topicAllowed }),
  ),
  kafkaBrokers: v.pipe(
    brokerList(),
    v.metadata({
      variable: 'KAFKA_BROKERS',
      meaning: 'Brokers to begin with; the cluster tells the rest.',
      allowed: 'host:port, several separated by commas; port 9092 where left out, IPv6 addresses in brackets',
    }),
  ),
  storeId: v.pipe(
    v.optional(topicName()),
    v.metadata({
      variable: 'STORE_ID',
      meaning: 'Name of this store: in its URLs, its consumer group and its transactional ids.',
      allowed: topicAllowed,
      default: 'the name of the source topic',
    }),
  ),
  changelogTopic: v.pipe(
    v.optional(topicName()),
    v.metadata({
      variable: 'CHANGELOG_TOPIC',
      meaning: 'Topic that the store recovers from, reserved for it; created if missing.',
      allowed: topicAllowed,
      default: '<STORE_ID>-changelog',
    }),
  ),
  initialCapacity: v.pipe(
    v.optional(wholeNumber(0, capacityMax), '0'),
    v.metadata({
      variable: 'INITIAL_CAPACITY',
      meaning: 'Entries that there is room for from the start, so that recovery never has to grow.',
      allowed: `a whole number from 0 to ${capacityMax}`,
      default: '0',
    }),
  ),
  autoFlushCount: v.pipe(
    v.optional(wholeNumber(1, flushCountMax), '1000'),
    v.metadata({
      variable: 'AUTO_FLUSH_COUNT',
      meaning: 'Operations after which a flush makes them visible.',
      allowed: `a whole number from 1 to ${flushCountMax}`,
      default: '1000',
    }),
  ),
  autoFlushSeconds: v.pipe(
    v.optional(decimalNumber(secondsMin, secondsMax), '1'),
    v.metadata({
      variable: 'AUTO_FLUSH_SECONDS',
      meaning: 'Seconds after which a flush makes whatever there is visible.',
      allowed: `a number from ${secondsMin} to ${secondsMax}, such as 0.25`,
      default: '1',
    }),
  ),
  readerPoolSize: v.pipe(
    v.optional(wholeNumber(1, readersMax), '1000'),
    v.metadata({
      variable: 'READER_POOL_SIZE',
      meaning: 'Lookups that may read at the same time.',
      allowed: `a whole number from 1 to ${readersMax}`,
      default: '1000',
    }),
  ),
  serverBind: v.pipe(
    v.optional(listenAddress(), '0.0.0.0'),
    v.metadata({
      variable: 'SERVER_BIND',
      meaning: 'Address that HTTP listens at.',
      allowed: 'an address or host name, such as 127.0.0.1 or ::',
      default: '0.0.0.0',
    }),
  ),
  serverPort: v.pipe(
    v.optional(wholeNumber(0, 65_535), '8080'),
    v.metadata({
      variable: 'SERVER_PORT',
      meaning: 'Port that HTTP listens at; 0 takes any that is free.',
      allowed: 'a whole number from 0 to 65535',
      default: '8080',
    }),
  ),
  readyWhen: v.pipe(
    v.optional(v.picklist(['caught-up', 'recovered']), 'caught-up'),
    v.metadata({
      variable: 'READY_WHEN',
      meaning: 'Readiness: once past the end that the source had at start, or as soon as the changelog is recovered.',
      allowed: 'caught-up or recovered',
      default: 'caught-up',
    }),
  ),
  fencing: v.pipe(
    v.optional(trueOrFalse(), 'true'),
    v.metadata({
      variable: 'FENCING',
      meaning: 'Refuse late writes of an earlier instance; false only where the cluster refuses the transactional id.',
      allowed: 'true or false',
      default: 'true',
      isSwitch: true,
    }),
  ),
  structuredLogging: v.pipe(
    v.optional(trueOrFalse(), 'false'),
    v.metadata({
      variable: 'STRUCTURED_LOGGING',
      meaning: 'Log one JSON object a line instead of text.',
      allowed: 'true or false',
      default: 'false',
      isSwitch: true,
    }),
  ),
  logLevel: v.pipe(
    v.optional(v.picklist(['trace', 'debug', 'info', 'warning', 'error']), 'info'),
    v.metadata({
      variable: 'LOG_LEVEL',
      meaning: 'Least level that is logged.',
      allowed: 'trace, debug, info, warning or error',
      default: 'info',
    }),
  ),
}

export type SettingKey = keyof typeof entries

/** In the order that --help lists them. */
export const settingKeys = Object.keys(entries) as SettingKey[]

export function metadataOf(key: SettingKey): SettingMetadata {
  return v.getMetadata(entries[key]) as unknown as SettingMetadata
}

export function flagOf(variable: string): string {
  return variable.toLowerCase().replaceAll('_', '-')
}

/** All settings as text (undefined: not given) to their values, defaults filled in and the topics held against each other. */
export const settingsSchema = v.pipe(
  v.object(entries),
  v.forward(
    v.partialCheck(
      [['sourceTopic'], ['storeId'], ['changelogTopic']],
      (names) => areDifferentTopics(names.sourceTopic, deriveNames(names).changelogTopic),
      'it must differ from SOURCE_TOPIC (to Kafka, "." and "_" are the same): the changelog belongs to the store alone',
    ),
    ['changelogTopic'],
  ),
  v.forward(
    v.partialCheck(
      [['sourceTopic'], ['storeId'], ['changelogTopic']],
      (names) => hasRoomForChangelog(names),
      `"<STORE_ID>-changelog" is longer than the ${topicLengthMax} characters that a topic may have; name one`,
    ),
    ['changelogTopic'],
  ),
  v.transform((settings) => ({ ...settings, ...deriveNames(settings) })),
)

export type Settings = Readonly<v.InferOutput<typeof settingsSchema>>

interface Names {
  sourceTopic: string
  storeId?: string | undefined
  changelogTopic?: string | undefined
}

function deriveNames({ sourceTopic, storeId = sourceTopic, changelogTopic = `${storeId}-changelog` }: Names) {
  return { storeId, changelogTopic }
}

/** A store id that is itself too long is a fault of its own, and no reason for a second one. */
function hasRoomForChangelog(names: Names): boolean {
  const { storeId, changelogTopic } = deriveNames(names)
  return changelogTopic.length <= topicLengthMax || storeId.length > topicLengthMax
}

function areDifferentTopics(left: string, right: string): boolean {
  return left.replaceAll('.', '_') !== right.replaceAll('.', '_')
}
