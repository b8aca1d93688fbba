/** The settings that members compare: settings.ts says which of them have to be equal. */
import { basename } from 'node:path'
import type { StoreConfig } from '../store-protocol/store-config.ts'

/** Returns texts by the name of the setting. No secrets are among them. */
export function comparedSettings(config: StoreConfig): Record<string, string> {
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
  }
}

/** Without what machines may have at different places. */
function textOf(format: object = { format: 'raw' }): string {
  return JSON.stringify(format, (name, value: unknown) => {
    if (name === 'registry' || name === 'include') return undefined
    return name === 'file' && typeof value === 'string' ? basename(value) : value
  })
}
