/**
 * Options of a store that a program opens: the executable's settings, with names in camelCase and JavaScript values.
 */
import { devNull } from 'node:os'
import { readCommand, type Settings } from '../config/index.ts'
import { metadataOf, type SettingKey, settingKeys } from '../config/settings.ts'
import { LatchkeyError } from '../errors.ts'
import type { LogLevel } from '../log/index.ts'
import { nearName } from '../text/did-you-mean.ts'

/** Properties of a Kafka client, named as in librdkafka: `{ 'security.protocol': 'ssl', 'linger.ms': 5 }`. */
export type KafkaProperties = Readonly<Record<string, string | number | boolean>>

/** Formats of keys and values. Some need further options, or a definition. */
export type FormatName =
  'raw' | 'utf8' | 'json' | 'int32' | 'int64' | 'uuid' | 'uuid-binary' | 'bytes' | 'protobuf' | 'avro' | 'json-schema'

/**
 * Only `kafkaBrokers` and a topic are required. Other options have the rules and the default of the setting of the same
 * name (`autoFlushCount` is AUTO_FLUSH_COUNT), see lib/config/README.md. Neither the environment nor `.env` is read.
 */
export interface OpenOptions {
  /** Required, except with `useReplicaOnly` and `storeId`, which identify the changelog to copy. */
  readonly sourceTopic?: string
  /** `host:port`, one or several. */
  readonly kafkaBrokers: string | readonly string[]
  readonly storeId?: string
  readonly changelogTopic?: string
  /** Properties of all three Kafka clients. */
  readonly kafkaProperties?: KafkaProperties
  /** Properties of the source consumer only. */
  readonly kafkaConsumerProperties?: KafkaProperties
  /** Properties of the changelog producer only. */
  readonly kafkaProducerProperties?: KafkaProperties
  /** Properties of the changelog consumer only. */
  readonly kafkaChangelogProperties?: KafkaProperties
  /** Partitions to consume and write; default: all. */
  readonly partitions?: readonly number[]
  /** Partitions to copy from the changelog; default: none. */
  readonly partitionsReplica?: readonly number[]
  readonly useReplicaOnly?: boolean
  readonly waitForReplicas?: boolean
  readonly useProcessingOnly?: boolean
  readonly partitioner?: 'murmur2' | 'crc32' | 'none'
  /** Number of entries to reserve memory for at start, over all partitions. */
  readonly initialCapacity?: number
  /** Memory that the process may take, in bytes or as text such as `2G`. */
  readonly memoryMax?: number | string
  /** Number of operations after which a flush makes them visible. */
  readonly autoFlushCount?: number
  readonly autoFlushSeconds?: number
  readonly autoFlushWhenIdle?: boolean
  readonly changesBytes?: number
  /** Directory for snapshots of the entries, with a folder for each store; none by default. */
  readonly snapshotDir?: string
  /** Seconds after a snapshot at which the next is taken, if anything has changed; 60 by default. */
  readonly snapshotSeconds?: number
  readonly readerPoolSize?: number
  /** Number of threads that write, each with a share of the partitions. */
  readonly storeThreads?: number
  readonly readyWhen?: 'caught-up' | 'recovered'
  readonly fencing?: boolean
  /**
   * Instances with the same storeId share the partitions, and each of them reads all keys. Needs `advertisedUrl`, and
   * serve() there: with it the store joins the group.
   */
  readonly elastic?: boolean
  /** Where the other instances reach serve(), such as `http://10.0.0.2:8080`; with a path if it has a prefix. */
  readonly advertisedUrl?: string
  /** Copies of each partition, besides the primary; 1 by default. */
  readonly standbys?: number
  /** `none`: what other instances hold is refused with their URL. */
  readonly routing?: 'proxy' | 'none'
  /** Seconds that close() takes at most to hand partitions over; 20 by default. */
  readonly handoverSeconds?: number
  /** File with the certificates that other instances are trusted by, for https. */
  readonly peerCa?: string
  /** Without a definition only, like all options for formats: a definition has its own formats. */
  readonly keyFormat?: FormatName
  readonly valueFormat?: FormatName
  readonly storeFormat?: FormatName
  /** Relative to the working directory, like all paths. */
  readonly protoFile?: string
  readonly protoPath?: string | readonly string[]
  readonly keyMessage?: string
  readonly valueMessage?: string
  readonly storeMessage?: string
  readonly keySchemaFile?: string
  readonly valueSchemaFile?: string
  readonly storeSchemaFile?: string
  readonly schemaRegistryUrl?: string
  /** `user:password`. */
  readonly schemaRegistryCredentials?: string
  readonly onBadRecord?: 'skip' | 'stop' | 'dead-letter'
  readonly deadLetterTopic?: string
  readonly keepHeaders?: readonly string[]
  /** Discards the changelog and reads the source from its start. */
  readonly rebuild?: boolean
  /**
   * Lowest level that the store thread logs to stderr; default: `warning`. If LogTape is configured in the thread that
   * opens the store, messages go there instead.
   */
  readonly logLevel?: LogLevel
  /** Log lines are JSON. */
  readonly structuredLogging?: boolean
}

/** Settings of the executable only. */
const excluded = /^(server|cors|http|resp|shutdown|storeModule)/
const formatOption = /Format$|Message$|SchemaFile$|^proto|^schemaRegistry/

export interface GivenSettings {
  readonly settings: Settings
  /** Warnings to log. */
  readonly notices: readonly string[]
}

/** @throws LatchkeyError invalid_settings: one message with all errors; `details.faults` lists them */
export function settingsOfOptions(options: OpenOptions, hasDefinition: boolean): GivenSettings {
  if (typeof options !== 'object' || options === null) {
    const message = `Opening a store: its options are ${options === null ? 'null' : typeof options}; give an object such as { sourceTopic: 'orders', kafkaBrokers: 'localhost:9092' }`
    throw new LatchkeyError('invalid_settings', message)
  }
  const known = settingKeys.filter((key) => !excluded.test(key))
  const given = Object.entries(options).filter(([, value]) => value !== undefined)
  const { rebuild, ...others } = Object.fromEntries(given)
  const names = Object.keys(others)
  const faults = names.filter((name) => !known.includes(name as SettingKey)).map((name) => unknown(name, known))
  if (hasDefinition) {
    const ineffective = names.filter((name) => formatOption.test(name) && known.includes(name as SettingKey))
    faults.push(
      ...ineffective.map((name) => `${name}: it has no effect, because the definition determines the formats`),
    )
  }
  if (others['elastic'] === true && others['advertisedUrl'] === undefined) {
    faults.push('elastic: it needs advertisedUrl, where the other instances reach serve(store)')
  }
  const texts = names.filter((name) => known.includes(name as SettingKey))
  const environment = Object.fromEntries(
    texts.map((name) => [metadataOf(name as SettingKey).variable, textOf(name, others[name])]),
  )
  const argv = ['--env-file', devNull, ...(rebuild === true ? ['--rebuild'] : [])]
  try {
    const command = readCommand({ argv, environment, envDirectories: [process.cwd()] })
    if (faults.length === 0 && 'settings' in command) {
      return { settings: command.settings, notices: command.notices.map(inOptions) }
    }
  } catch (error) {
    if (!(error instanceof LatchkeyError) || error.code !== 'invalid_settings') throw error
    faults.push(...(error.details['faults'] as string[]).map(inOptions))
  }
  const count = faults.length === 1 ? 'one fault' : `${faults.length} faults`
  const message = [`Opening a store: ${count} found in its options`, ...faults.map((fault) => `  ${fault}`)]
  throw new LatchkeyError('invalid_settings', message.join('\n'), { details: { faults } })
}

function unknown(name: string, known: readonly string[]): string {
  const near = nearName(name, [...known, 'rebuild'])
  return `${name}: unknown option${near ? `; did you mean ${near}?` : ''}`
}

/** Returns the text of the corresponding setting. */
function textOf(name: string, value: unknown): string {
  if (Array.isArray(value)) return value.join(',')
  if (!name.endsWith('Properties')) return String(value)
  return Object.entries(value as KafkaProperties)
    .map(([property, text]) => `${property}=${String(text).replaceAll(',', '\\,').replaceAll('\n', '\\n')}`)
    .join(',')
}

const optionOf = new Map(settingKeys.map((key) => [metadataOf(key).variable, key as string]))

/** Replaces the names of settings in an error by the names of options. */
function inOptions(fault: string): string {
  return fault.replace(' (environment)', '').replaceAll(/--rebuild|\b[A-Z][A-Z_]+[A-Z]\b/g, (name) => {
    return name === '--rebuild' ? 'rebuild' : (optionOf.get(name) ?? name)
  })
}
