/** Routing of a thread that answers requests: its store with those of the other instances of the group behind it. */
import type { LookupStats } from '../metrics/index.ts'
import { type RoutedStore, Routing, type RoutingMode } from '../routing/index.ts'
import type { GroupReport } from '../store-protocol/group-report.ts'
import type { Store } from '../store/store.ts'

/** For all threads; plain data. */
export interface GroupRoutingOptions {
  readonly mode: RoutingMode
  /** Certificates in PEM that peers are checked against; those of the system if absent. */
  readonly peerCa?: string | undefined
}

/** What a thread finds out about the other instances. */
export interface PeerEvents {
  /** A member has answered at its URL. */
  reached(memberId: string, url: string): void
  /** A connection to a member was refused. */
  suspect(memberId: string): void
}

export interface ThreadRouting {
  /** What requests are answered from. */
  readonly view: Store | RoutedStore<Store>
  /** Undefined without a group. */
  readonly routing: Routing<Store> | undefined
  /** Takes what the group says: the store shows it, and lookups follow its plan. Returns whether the plan is new. */
  setGroup(report: GroupReport): boolean
}

/** @param options undefined without a group: then the store is used itself */
export function routeThread(
  store: Store,
  options: GroupRoutingOptions | undefined,
  { token, lookupStats }: { token: string | undefined; lookupStats: LookupStats },
  events: PeerEvents,
): ThreadRouting {
  if (options === undefined) return { view: store, routing: undefined, setGroup: () => false }
  const { mode, peerCa: ca } = options
  const counts = lookupStats.forwards
  const routing = new Routing(store, { token, mode, tls: { ca }, counts, ...events })
  return {
    view: routing.store,
    routing,
    setGroup(report) {
      store.setGroup(report)
      return routing.setGroup(report.view)
    },
  }
}
