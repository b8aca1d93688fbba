/** The group of an instance with ELASTIC, as the executable runs it. */
import type { GroupSettings, Settings } from '../config/index.ts'
import { ElasticInstance, groupNoticeFor } from '../elastic/elastic-instance.ts'
import type { LatchkeyError } from '../errors.ts'
import type { AdvertisedPlace } from '../store-protocol/group-messages.ts'
import type { StoreConfig } from '../store-protocol/store-config.ts'
import type { StoreLogging } from '../store-protocol/thread-messages.ts'
import type { Store } from '../store/store.ts'
import { isUnspecifiedHost } from '../text/loopback.ts'
import { groupOf } from '../topics/clients.ts'
import { urlOf } from './listen.ts'
import type { ServerOptions } from './notices.ts'
import type { GroupEvents, Server } from './server.ts'

export interface RunningGroup {
  /** Resolves if the membership fails; never rejects. */
  readonly failed: Promise<LatchkeyError>
  /** Hands over, within HANDOVER_SECONDS after a signal, and leaves. */
  leave: (failure: LatchkeyError | undefined) => Promise<void>
}

/** Returns the configuration of a store whose partitions a group assigns; without a group, the same one. */
export function withGroup<Config extends StoreConfig>(config: Config, { group, clients }: Settings): Config {
  if (group === undefined) return config
  return { ...config, elastic: { ...config.elastic, notice: groupNoticeFor(clients.consumer.sessionTimeoutMs) } }
}

/** @param config of the store, as withGroup() returns it */
export function elasticInstanceOf(
  settings: Settings,
  config: StoreConfig,
  logging: StoreLogging,
): ElasticInstance | undefined {
  const { group } = settings
  if (group === undefined) return undefined
  const { standbys, routing } = group
  return new ElasticInstance({ config, logging, name: groupOf(config), standbys, routing })
}

/** Returns the events with which the server says what the group has to know. */
export function groupEventsOf(instance: ElasticInstance | undefined): GroupEvents | undefined {
  return (
    instance && {
      reached: (memberId, url) => instance.post({ type: 'reached', memberId, url }),
      suspect: (memberId) => instance.post({ type: 'suspect', memberId }),
      reachable: (state) => instance.setReachable(state),
      logLevelChanged: (level) => instance.post({ type: 'log-level', level }),
      tokenReplaced: (token) => instance.post({ type: 'token', token }),
    }
  )
}

/** Returns where others reach this instance. @param port at which it listens */
export function placeOf({ advertisedUrl }: GroupSettings, { bind, tls }: ServerOptions, port: number): AdvertisedPlace {
  const url = advertisedUrl ?? (isUnspecifiedHost(bind) ? undefined : urlOf(bind, port, tls !== undefined))
  return { url, scheme: tls === undefined ? 'http' : 'https', port }
}

/** Joins the group. The server listens: others can reach it. */
export function runGroup(
  instance: ElasticInstance | undefined,
  { group, serverToken }: Settings,
  store: Store,
  server: Server,
  http: ServerOptions,
): RunningGroup {
  const failed = Promise.withResolvers<LatchkeyError>()
  if (instance === undefined || group === undefined) return { failed: failed.promise, leave: async () => {} }
  instance.begin(store, placeOf(group, http, server.port), serverToken, {
    report: (report) => server.setGroup(report),
    peers: () => server.peers,
    failed: failed.resolve,
  })
  return {
    failed: failed.promise,
    leave: (failure) => instance.leave(failure === undefined ? group.handoverSeconds : 0),
  }
}
