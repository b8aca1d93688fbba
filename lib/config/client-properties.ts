/** Reads the settings for client properties together and checks them against the other settings. */
import type { ClientName } from '../store-protocol/client-config.ts'
import { type ClientProperties, defaultClients, readClientProperties } from './client-properties/read.ts'
import type { SettingText } from './secrets.ts'
import { type ClientsText, metadataOf, type SettingKey } from './settings.ts'

export { defaultClients }

/** Shared settings come first: a setting of one client overrides them. */
const concerned: readonly (readonly [ClientsText, readonly ClientName[]])[] = [
  ['kafkaProperties', ['consumer', 'producer', 'changelog']],
  ['kafkaConsumerProperties', ['consumer']],
  ['kafkaProducerProperties', ['producer']],
  ['kafkaChangelogProperties', ['changelog']],
]

/** @param settings undefined if the other settings have errors */
export function clientsOf(
  given: ReadonlyMap<SettingKey, SettingText | undefined>,
  settings: { fencing: boolean } | undefined,
): ClientProperties {
  const texts = concerned.flatMap(([key, clients]) => {
    const found = given.get(key)
    if (found === undefined) return []
    return [{ variable: metadataOf(key).variable, clients, text: found.text, byLine: found.isFile }]
  })
  const read = readClientProperties(texts)
  if (settings?.fencing && !read.clients.producer.produce.isIdempotent) {
    const found = 'enable.idempotence=false needs FENCING=false: a producer that fences has an id, and is idempotent'
    read.faults.push(`KAFKA_PRODUCER_PROPERTIES: ${found}`)
  }
  return read
}
