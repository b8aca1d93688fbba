/** Settings for the schema registry. Errors do not quote the URL, because it may contain a password. */
import type { RegistryConfig } from '../format/index.ts'
import type { SettingText } from './secrets.ts'

export interface RegistryRead {
  /** Undefined if no registry is given, or if there are errors. */
  config: RegistryConfig | undefined
  faults: string[]
  notices: string[]
}

export function readRegistry(url: SettingText | undefined, credentials: SettingText | undefined): RegistryRead {
  const read: RegistryRead = { config: undefined, faults: [], notices: [] }
  const { faults } = read
  const found = credentials && readCredentials(credentials, faults)
  if (!url) {
    if (credentials) {
      faults.push(`SCHEMA_REGISTRY_CREDENTIALS (${credentials.origin}): it has no effect without SCHEMA_REGISTRY_URL`)
    }
    return read
  }
  const parsed = URL.parse(url.text)
  const fault = (text: string) => faults.push(`SCHEMA_REGISTRY_URL (${url.origin}): ${text}`)
  if (!parsed || !/^https?:$/.test(parsed.protocol)) fault('it must be a URL such as https://registry.example:8081')
  else if (parsed.username || parsed.password) {
    fault('user and password go into SCHEMA_REGISTRY_CREDENTIALS, as user:password')
  } else if (parsed.search || parsed.hash) fault('it must be a URL without query and fragment')
  if (faults.length > 0 || !parsed) return read
  const isLocal = /^(localhost|127\.|\[::1\])/.test(parsed.hostname)
  if (found && parsed.protocol === 'http:' && !isLocal) {
    read.notices.push('SCHEMA_REGISTRY_CREDENTIALS go over plain HTTP and can be read on the way; use https')
  }
  read.config = { url: parsed.href.replace(/\/+$/, ''), ...(found && { credentials: found }) }
  return read
}

function readCredentials({ text, origin }: SettingText, faults: string[]): RegistryConfig['credentials'] {
  const colon = text.indexOf(':')
  if (colon > 0) return { user: text.slice(0, colon), password: text.slice(colon + 1) }
  return void faults.push(`SCHEMA_REGISTRY_CREDENTIALS (${origin}): it must be user:password`)
}
