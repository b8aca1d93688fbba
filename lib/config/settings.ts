/**
 * All settings: how each is parsed, and its metadata for --help, error texts and the documentation. definitions/ defines
 * them, one file for each area.
 */
import * as v from 'valibot'
import type { FormatsConfig } from '../format/index.ts'
import type { ClientsConfig } from '../store-protocol/client-config.ts'
import type { ElasticConfig } from '../store-protocol/store-config.ts'
import { clientDefinitions } from './definitions/clients.ts'
import { formatDefinitions } from './definitions/formats.ts'
import { groupDefinitions, type GroupSettings } from './definitions/group.ts'
import { flushSettings, memoryDefinitions, memorySettings } from './definitions/memory.ts'
import { operationDefinitions } from './definitions/operation.ts'
import { partitionDefinitions } from './definitions/partitions.ts'
import { deadLetterFault, recordDefinitions } from './definitions/records.ts'
import { serverDefinitions } from './definitions/server.ts'
import { snapshotDefinitions } from './definitions/snapshots.ts'
import { moduleDefinitions } from './definitions/store-module.ts'
import { topicDefinitions } from './definitions/topics.ts'
import type { TokenPlace } from './secrets.ts'
import type { TlsPair } from './tls-pair.ts'
import { topicLengthMax } from './values.ts'

export interface SettingMetadata {
  /** Name in the environment and in `.env`. The flag follows from it: SOURCE_TOPIC is --source-topic. */
  variable: string
  meaning: string
  /** At most 54 characters, for the first page of --help. Absent: not shown there. */
  brief?: string
  /** Completes "it must be …". */
  allowed: string
  /** Text that is shown as the default; absent for a required setting. */
  default?: string
  /** The flag may stand without a value, which means true. `--no-…` means false. */
  isSwitch?: true
  /** Its text is never shown, and `<variable>_FILE` may name a file that holds it. */
  isSecret?: true
}

/** Groups of --help. */
const areas = {
  kafka: { ...topicDefinitions, ...clientDefinitions, ...partitionDefinitions },
  formats: { ...formatDefinitions, ...moduleDefinitions, ...recordDefinitions },
  http: { ...serverDefinitions, ...operationDefinitions },
  memory: { ...memoryDefinitions, ...snapshotDefinitions },
  group: groupDefinitions,
}

const definitions = { ...areas.kafka, ...areas.formats, ...areas.memory, ...areas.http, ...areas.group }

export type SettingArea = keyof typeof areas

export const settingAreas = Object.keys(areas) as SettingArea[]

export function settingKeysOf(area: SettingArea): SettingKey[] {
  return Object.keys(areas[area]) as SettingKey[]
}

export type SettingKey = keyof typeof definitions

/** In the order of --help. */
export const settingKeys = Object.keys(definitions) as SettingKey[]

export function metadataOf(key: SettingKey): SettingMetadata {
  return v.getMetadata(definitions[key]) as unknown as SettingMetadata
}

export function definitionsOf<Key extends SettingKey>(keys: readonly Key[]): Pick<typeof definitions, Key> {
  return Object.fromEntries(keys.map((key) => [key, definitions[key]])) as Pick<typeof definitions, Key>
}

export function flagOf(variable: string): string {
  return variable.toLowerCase().replaceAll('_', '-')
}

/**
 * Turns the texts of all settings (undefined: not given) into values. Fills in defaults and checks the topics against
 * each other.
 */
export const settingsSchema = v.pipe(
  v.object(definitions),
  v.forward(
    v.partialCheck(
      [['serverPort'], ['respPort']],
      ({ serverPort, respPort }) => respPort === undefined || respPort === 0 || respPort !== serverPort,
      'it must differ from SERVER_PORT: HTTP and the Redis protocol have a port each',
    ),
    ['respPort'],
  ),
  v.forward(
    v.partialCheck(
      [['sourceTopic'], ['useReplicaOnly']],
      ({ sourceTopic, useReplicaOnly }) => sourceTopic !== undefined || useReplicaOnly,
      'set it',
    ),
    ['sourceTopic'],
  ),
  v.forward(
    v.partialCheck(
      [['sourceTopic'], ['storeId'], ['useReplicaOnly']],
      ({ sourceTopic, storeId, useReplicaOnly }) => !useReplicaOnly || (sourceTopic ?? storeId) !== undefined,
      'with USE_REPLICA_ONLY and without SOURCE_TOPIC it names the store to copy',
    ),
    ['storeId'],
  ),
  v.forward(
    v.partialCheck(
      [['useReplicaOnly'], ['useProcessingOnly']],
      ({ useReplicaOnly, useProcessingOnly }) => !(useReplicaOnly && useProcessingOnly),
      'it excludes USE_REPLICA_ONLY=true: the one only copies the changelog, the other only writes it',
    ),
    ['useProcessingOnly'],
  ),
  v.forward(
    v.partialCheck(
      [['snapshotDir'], ['useProcessingOnly']],
      ({ snapshotDir, useProcessingOnly }) => snapshotDir === undefined || !useProcessingOnly,
      'it excludes USE_PROCESSING_ONLY=true: nothing is in memory, so there is nothing to write',
    ),
    ['snapshotDir'],
  ),
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
  v.forward(
    v.partialCheck(
      [['onBadRecord'], ['deadLetterTopic'], ['sourceTopic'], ['storeId'], ['changelogTopic']],
      (topics) => deadLetterFault({ ...topics, ...deriveNames(topics) }) === undefined,
      ({ input }) => deadLetterFault({ ...input, ...deriveNames(input) })!,
    ),
    ['deadLetterTopic'],
  ),
  v.forward(
    v.partialCheck(
      [['corsOrigins'], ['serverToken']],
      ({ corsOrigins, serverToken }) => serverToken === undefined || corsOrigins?.includes('*') !== true,
      '"*" excludes SERVER_TOKEN: name the origins whose pages have the token',
    ),
    ['corsOrigins'],
  ),
  v.transform(({ memoryMax, ...settings }) => ({
    ...settings,
    ...deriveNames(settings),
    ...flushSettings(settings),
    ...memorySettings({ memoryMax }),
  })),
)

export type ClientsText = keyof typeof clientDefinitions

type FormatText = keyof typeof formatDefinitions

type Parsed = v.InferOutput<typeof settingsSchema>

type GroupText = keyof typeof groupDefinitions

type Kept = Omit<Parsed, ClientsText | FormatText | GroupText | 'storeModule' | 'serverTlsCert' | 'serverTlsKey'>

export type Settings = Readonly<
  Kept & {
    clients: ClientsConfig
    /** Partitions come and go, as a group assigns them. Both or neither. */
    elastic?: ElasticConfig
    group?: GroupSettings
    serverTls?: TlsPair
    serverTokenPlace?: TokenPlace
    formats?: FormatsConfig
    module?: string
    rebuild?: true
  }
>

/** Values that result from several settings; undefined if not given. */
interface Read {
  elastic: ElasticConfig | undefined
  group: GroupSettings | undefined
  serverTls: TlsPair | undefined
  serverTokenPlace: TokenPlace | undefined
  formats: FormatsConfig | undefined
  module: string | undefined
}

/**
 * Replaces the texts of settings that were read together by their result. In particular drops the texts of client
 * properties, which may hold secrets: `clients` has their values.
 */
export function settingsOf(parsed: Parsed, clients: ClientsConfig, read: Read): Settings {
  const { serverTlsCert: _cert, serverTlsKey: _key, storeModule: _module, ...rest } = parsed
  const kept = Object.entries(rest).filter(([key]) => !isReadTogether(key))
  const given = Object.fromEntries(Object.entries(read).filter(([, value]) => value !== undefined))
  return Object.freeze({ ...(Object.fromEntries(kept) as Kept), clients, ...given })
}

function isReadTogether(key: string): boolean {
  return key in clientDefinitions || key in formatDefinitions || key in groupDefinitions
}

interface Names {
  sourceTopic?: string | undefined
  storeId?: string | undefined
  changelogTopic?: string | undefined
}

/** Without a source topic, which a replica does not need, its name is empty. */
function deriveNames({ sourceTopic = '', storeId = sourceTopic, changelogTopic = `${storeId}-changelog` }: Names) {
  return { sourceTopic, storeId, changelogTopic }
}

/** A store id that is too long has its own error, so it does not cause a second one here. */
function hasRoomForChangelog(names: Names): boolean {
  const { storeId, changelogTopic } = deriveNames(names)
  return changelogTopic.length <= topicLengthMax || storeId.length > topicLengthMax
}

function areDifferentTopics(left: string | undefined, right: string): boolean {
  return left?.replaceAll('.', '_') !== right.replaceAll('.', '_')
}
