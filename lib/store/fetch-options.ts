/** How the two topics are fetched. */
import { defaultClients } from '../config/client-properties.ts'
import { type FetchConfig } from './contract/client-config.ts'
import { clientsConfigOf } from './clients.ts'
import { type StoreConfig } from './contract/store-config.ts'

/** For a look at single records. */
export const plainFetch: FetchConfig = defaultClients().consumer.fetch

export function sourceFetch(config: StoreConfig): FetchConfig {
  return clientsConfigOf(config).consumer.fetch
}

export function changelogFetch(config: StoreConfig): FetchConfig {
  return clientsConfigOf(config).changelog.fetch
}
