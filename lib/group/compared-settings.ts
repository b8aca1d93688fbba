/** The settings that members compare: settings.ts says which of them have to be equal. */
import { basename } from 'node:path'
import type { StoreConfig } from '../store-protocol/store-config.ts'
import { clientsConfigOf } from '../topics/clients.ts'

/** Settings of a group that should be the same in all members. What only one instance is about is not among them. */
export interface GroupWide {
  /** What the leader has counts. */
  standbys: number
  /** Clients of another instance get other answers. */
  routing: 'proxy' | 'none'
}

/** Returns texts by the name of the setting. No secrets are among them. */
export function comparedSettings(config: StoreConfig, { standbys, routing }: GroupWide): Record<string, string> {
  const { formats, module = '', keepHeaders = [], onBadRecord = 'skip', storeThreads = 1, memoryMax = '' } = config
  return {
    SOURCE_TOPIC: config.sourceTopic,
    CHANGELOG_TOPIC: config.changelogTopic,
    PARTITIONER: config.partitioner,
    KEY_FORMAT: textOf(formats?.key),
    VALUE_FORMAT: textOf(formats?.value),
    STORE_FORMAT: textOf(formats?.store),
    STORE_MODULE: basename(module),
    KEEP_HEADERS: keepHeaders.toSorted().join(','),
    ON_BAD_RECORD: onBadRecord,
    STORE_THREADS: String(storeThreads),
    MEMORY_MAX: String(memoryMax),
    STANDBYS: String(standbys),
    ROUTING: routing,
    // Where a partition begins that no instance has read yet.
    'auto.offset.reset': clientsConfigOf(config).consumer.offsetReset,
  }
}

/** Without what machines may have at different places. */
function textOf(format: object = { format: 'raw' }): string {
  return JSON.stringify(format, (name, value: unknown) => {
    if (name === 'registry' || name === 'include') return undefined
    return name === 'file' && typeof value === 'string' ? basename(value) : value
  })
}
