/** Opens stores for programs. */
import { pathToFileURL } from 'node:url'
import { type Definition } from '../definition/index.ts'
import { LatchkeyError } from '../errors.ts'
import { levelConfigured, loggerOf, RepeatedLog, warnWithoutConfiguration } from '../log/index.ts'
import { type StoreConfig } from '../store-protocol/store-config.ts'
import { type StoreLogging } from '../store-protocol/messages.ts'
import { Store } from '../store/store.ts'
import { KeyValueStore } from './key-value-store.ts'
import { type OpenOptions, settingsOfOptions } from './open-options.ts'
import { refuseOnStoreThread } from '../store-protocol/store-thread-mark.ts'
import { codecsOf } from './typed-codecs.ts'

const repeatedLog = new RepeatedLog(loggerOf('store'))

/**
 * Opens a store of keys and values as a definition has them. It starts at once, in state `starting`; `ready` tells when it can be used, `failed`
 * if it never will. Its writing side runs on a thread of its own, which loads the definition's module once more: hence the definition has
 * to be the default export of a module of its own.
 * @throws LatchkeyError invalid_settings: the options have faults, all of which are told, or the definition belongs to no module
 */
export function openStore<K, I, V>(options: OpenOptions, definition: Definition<K, I, V>): KeyValueStore<K, V>
/**
 * Opens a store of bytes: keys are bytes, or strings that stand for their UTF-8; values are bytes as the topic has them. Where the options
 * name formats, K and V are the types that these have, which nobody checks: `openStore<bigint, Order>({ keyFormat: 'int64', … })`.
 */
export function openStore<K = Uint8Array | string, V = Uint8Array>(options: OpenOptions): KeyValueStore<K, V>
export function openStore<K, V>(options: OpenOptions, definition?: Definition<K, unknown, V>): KeyValueStore<K, V> {
  refuseOnStoreThread()
  const { settings, notices } = settingsOfOptions(options, definition !== undefined)
  const {
    serverToken: _token,
    serverTokenPlace: _place,
    serverTls: _tls,
    logLevel,
    structuredLogging,
    ...config
  } = settings
  const level = levelConfigured()
  if (level === undefined) warnWithoutConfiguration()
  for (const notice of notices) repeatedLog.log('warning', notice, '{notice}', { notice })
  const logging: StoreLogging =
    level === undefined
      ? { level: options.logLevel === undefined ? 'warning' : logLevel, structured: structuredLogging }
      : { level, structured: false, isPassedOn: true }
  const module = definition && moduleOf(definition)
  return openWith(module === undefined ? config : { ...config, module }, logging, definition)
}

/** Opens a store of a configuration that is known to be sound. */
function openWith<K, V>(
  config: StoreConfig,
  logging: StoreLogging,
  definition?: Definition<K, unknown, V>,
): KeyValueStore<K, V> {
  return new KeyValueStore(new Store(config, logging, definition), codecsOf(definition, config))
}

function moduleOf({ module }: Definition): string {
  const advice =
    'define it with defineStore() in a module of its own that exports it as default, or name that: module: import.meta.url'
  if (module === undefined)
    throw new LatchkeyError('invalid_settings', `Opening a store: the definition belongs to no module; ${advice}`)
  if (module.startsWith('file:') || module.startsWith('/')) {
    return module.startsWith('/') ? pathToFileURL(module).href : module
  }
  const found = `the definition's module is ${JSON.stringify(module)}, which is no URL of a file`
  throw new LatchkeyError('invalid_settings', `Opening a store: ${found}; ${advice}`)
}
