/**
 * The settings with which the commands find a running store: those of the store itself, from the same places. So a
 * command beside the store's `.env` needs no option.
 */
import { X509Certificate } from 'node:crypto'
import { whyUnreadable } from '../text/fs-error.ts'
import { faultsError } from './faults.ts'
import { quote } from './quote.ts'
import { metadataOf } from './settings.ts'
import { readSome } from './some-settings.ts'
import { type ConfigInput, sourcesOf } from './sources.ts'
import { readText } from './text-file.ts'
import { tlsBytesMax } from './tls-pair.ts'

export interface ClientSettings {
  /** Without a slash at the end. */
  readonly url: string
  /** Undefined if the settings do not name the store: the server knows it. */
  readonly storeId: string | undefined
  readonly token: string | undefined
  /** PEM of the store's own certificate, if the URL is that of the settings. */
  readonly certificate: string | undefined
}

const keys = ['storeId', 'sourceTopic', 'serverBind', 'serverPort', 'serverToken', 'serverTlsCert'] as const

export interface ClientFlags {
  /** Of the store, without a path below it; default: that of the settings. */
  readonly url?: string | undefined
  readonly envFile?: string | undefined
  /** Texts of settings by variable. */
  readonly values: ReadonlyMap<string, string>
}

/** @throws LatchkeyError invalid_settings, with all errors */
export function readClientSettings(
  { environment, envDirectories }: Pick<ConfigInput, 'environment' | 'envDirectories'>,
  { url, envFile, values }: ClientFlags,
): ClientSettings {
  const faults: string[] = []
  // Faults of lines that these commands do not need are for the store's own start.
  const ofEnvFile = {
    faults: envFile === undefined ? [] : faults,
    valueless: new Set<string>(),
    isEnvFileUnread: false,
  }
  const sources = sourcesOf({ values, envFile, ...ofEnvFile }, environment, envDirectories)
  const { values: parsed } = readSome(keys, sources, faults)
  const { storeId, sourceTopic, serverBind, serverPort, serverToken, serverTlsCert } = parsed ?? {}
  const certificate = url === undefined && serverTlsCert ? certificateOf(serverTlsCert, faults) : undefined
  const base = url === undefined ? ownUrl(serverBind, serverPort, certificate !== undefined) : checkedUrl(url, faults)
  if (url === undefined && serverPort === 0) {
    faults.push(`${metadataOf('serverPort').variable}=0: only the store knows its port; give --url`)
  }
  if (faults.length > 0) throw faultsError(faults)
  return { url: base, storeId: storeId ?? sourceTopic, token: serverToken, certificate }
}

/** Returns where a store of these settings is reached from its own host. */
function ownUrl(bind = '', port = 0, isTls: boolean): string {
  const host = { '0.0.0.0': '127.0.0.1', '::': '[::1]' }[bind] ?? (bind.includes(':') ? `[${bind}]` : bind)
  return `${isTls ? 'https' : 'http'}://${host}:${port}`
}

function checkedUrl(text: string, faults: string[]): string {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined || !['http:', 'https:'].includes(url.protocol) || url.search !== '' || url.hash !== '') {
    faults.push(`--url ${quote(text)}: it must be the URL of a store, such as http://localhost:8080`)
    return ''
  }
  if (url.username !== '' || url.password !== '') {
    faults.push('--url: it must have no user and password; a token is given by SERVER_TOKEN or SERVER_TOKEN_FILE')
  }
  return `${url.origin}${url.pathname.replace(/\/+$/, '')}`
}

function certificateOf(path: string, faults: string[]): string | undefined {
  try {
    return new X509Certificate(readText(path, tlsBytesMax)).toString()
  } catch (thrown) {
    const isRead = (thrown as { syscall?: string }).syscall === undefined
    const found = isRead ? 'it holds no certificate in PEM form' : `the file cannot be read: ${whyUnreadable(thrown)}`
    faults.push(`SERVER_TLS_CERT=${quote(path)}: ${found}`)
    return undefined
  }
}
