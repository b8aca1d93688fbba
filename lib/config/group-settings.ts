/** The settings of a group, checked against the others: what the group decides cannot be set, too. */
import type { ClientsConfig } from '../store-protocol/client-config.ts'
import { groupDefinitions, type GroupSettings } from './definitions/group.ts'
import { faultText } from './faults.ts'
import type { SettingText } from './secrets.ts'
import { metadataOf, type SettingKey } from './settings.ts'
import { readText } from './text-file.ts'
import { readCertificates } from './tls-pair.ts'

/** The settings that matter, as they are parsed. */
export interface ParsedForGroup extends Omit<GroupSettings, 'peerCa' | 'advertisedUrl'> {
  readonly elastic: boolean
  readonly advertisedUrl?: string | undefined
  /** Path. */
  readonly peerCa?: string | undefined
  readonly partitions: readonly number[]
  readonly partitionsReplica: readonly number[]
  readonly useReplicaOnly: boolean
  readonly useProcessingOnly: boolean
  readonly waitForReplicas: boolean
  readonly fencing: boolean
  readonly partitioner: string
}

export interface GroupFindings {
  /** Undefined without ELASTIC. */
  group?: GroupSettings
  faults: string[]
  notices: string[]
}

type GivenTexts = ReadonlyMap<SettingKey, SettingText | undefined>

/** @param parsed undefined if the other settings have errors */
export function groupSettingsOf(
  parsed: ParsedForGroup | undefined,
  given: GivenTexts,
  { consumer }: ClientsConfig,
  read = readText,
): GroupFindings {
  if (parsed === undefined) return { faults: [], notices: [] }
  if (!parsed.elastic) return { faults: [], notices: withoutEffect(given) }
  const { standbys, advertisedUrl, routing, handoverSeconds } = parsed
  const faults = contradictions(parsed).map(([key, found]) => faultText(key, given.get(key), found))
  const { sessionTimeoutMs, heartbeatMs } = consumer
  if (heartbeatMs * 3 > sessionTimeoutMs) {
    const found = `heartbeat.interval.ms=${heartbeatMs} must be at most a third of session.timeout.ms=${sessionTimeoutMs}`
    faults.push(`KAFKA_CONSUMER_PROPERTIES: ${found}`)
  }
  const blame = (found: string) => void faults.push(faultText('peerCa', given.get('peerCa'), found))
  const peerCa = parsed.peerCa === undefined ? undefined : readCertificates(parsed.peerCa, read, blame)
  return { group: Object.freeze({ standbys, advertisedUrl, routing, handoverSeconds, peerCa }), faults, notices: [] }
}

function contradictions(parsed: ParsedForGroup): [SettingKey, string][] {
  const assigned = 'it excludes ELASTIC=true: the group assigns the partitions'
  const writes = 'it excludes ELASTIC=true: each instance of the group reads and writes what it is assigned'
  const found: [SettingKey, boolean, string][] = [
    ['partitions', parsed.partitions.length > 0, assigned],
    ['partitionsReplica', parsed.partitionsReplica.length > 0, assigned],
    ['useReplicaOnly', parsed.useReplicaOnly, writes],
    ['useProcessingOnly', parsed.useProcessingOnly, writes],
    [
      'waitForReplicas',
      parsed.waitForReplicas,
      'it excludes ELASTIC=true: an instance of the group waits for its copies in any case',
    ],
    ['fencing', !parsed.fencing, 'it excludes ELASTIC=true: only the fence ends the writes of a former owner'],
    [
      'partitioner',
      parsed.partitioner === 'none',
      'it excludes ELASTIC=true: by the partitioner an instance knows which one holds a key',
    ],
  ]
  return found.flatMap(([key, isFound, text]) => (isFound ? [[key, text]] : []))
}

function withoutEffect(given: GivenTexts): string[] {
  const keys = (Object.keys(groupDefinitions) as SettingKey[]).filter((key) => key !== 'elastic')
  const names = keys.filter((key) => given.get(key) !== undefined).map((key) => metadataOf(key).variable)
  return names.map((name) => `${name} has no effect without ELASTIC=true`)
}
