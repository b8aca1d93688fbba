/** Opens stores for programs. */
import { pathToFileURL } from 'node:url'
import type { GroupSettings } from '../config/index.ts'
import type { Definition } from '../definition/index.ts'
import { LatchkeyError } from '../errors.ts'
import { levelConfigured, loggerOf, RepeatedLog, warnWithoutConfiguration } from '../log/index.ts'
import type { StoreConfig } from '../store-protocol/store-config.ts'
import { refuseOnStoreThread } from '../store-protocol/store-thread-mark.ts'
import type { StoreLogging } from '../store-protocol/thread-messages.ts'
import { Store } from '../store/store.ts'
import { EmbeddedGroup } from './embedded-group.ts'
import { KeyValueStore } from './key-value-store.ts'
import { type OpenOptions, settingsOfOptions } from './open-options.ts'
import { codecsOf } from './typed-codecs.ts'

const repeatedLog = new RepeatedLog(loggerOf('store'))

/**
 * Opens a store with the keys and values of a definition. Returns immediately, in state `starting`. `ready` resolves
 * when the store can be used, `failed` if it never will.
 * The store's thread loads the module of the definition a second time, so the definition must be the default export of
 * its own module.
 * @throws LatchkeyError invalid_settings: errors in the options, all of them in one message, or a definition without a
 *   module
 */
export function openStore<K, I, V>(options: OpenOptions, definition: Definition<K, I, V>): KeyValueStore<K, V>
/**
 * Opens a store of bytes. Keys are bytes, or strings, which stand for their UTF-8. Values are bytes as in the topic. If
 * the options name formats, K and V are the types of their values, which nothing checks:
 * `openStore<bigint, Order>({ keyFormat: 'int64', … })`.
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
    group,
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
  return openWith(module === undefined ? config : { ...config, module }, logging, definition, group)
}

/** Opens a store with a configuration that was checked before. */
function openWith<K, V>(
  config: StoreConfig,
  logging: StoreLogging,
  definition?: Definition<K, unknown, V>,
  groupSettings?: GroupSettings,
): KeyValueStore<K, V> {
  const codecs = codecsOf(definition, config)
  if (groupSettings === undefined) return new KeyValueStore(new Store(config, logging, definition), codecs)
  const group = new EmbeddedGroup(config, logging, groupSettings)
  return new KeyValueStore(new Store(group.config, logging, definition, group.access), codecs, group)
}

function moduleOf({ module }: Definition): string {
  const advice =
    'define it with defineStore() in a separate module that exports it as default, or name that module: module: import.meta.url'
  if (module === undefined) {
    throw new LatchkeyError('invalid_settings', `Opening a store: the definition has no module; ${advice}`)
  }
  if (module.startsWith('file:') || module.startsWith('/')) {
    return module.startsWith('/') ? pathToFileURL(module).href : module
  }
  const found = `the definition's module is ${JSON.stringify(module)}, which is not a file URL`
  throw new LatchkeyError('invalid_settings', `Opening a store: ${found}; ${advice}`)
}
