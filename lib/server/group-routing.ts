/** Routing of a thread that answers requests: its store with those of the other instances of the group behind it. */
import type { LookupStats } from '../metrics/index.ts'
import { type GroupRequests, type RoutedStore, Routing, type RoutingMode } from '../routing/index.ts'
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
  /** Answers other instances; undefined without a group. */
  readonly requests: GroupRequests | undefined
  readonly routing: Routing<Store> | undefined
  /** Takes what the group says: the store shows it, and lookups follow its plan. Returns whether the plan is new. */
  setGroup(report: GroupReport): boolean
  replaceToken(token: string): void
  close(): void
}

/** @param options undefined without a group: then the store is used itself */
export function routeThread(
  store: Store,
  options: GroupRoutingOptions | undefined,
  { token, lookupStats }: { token: string | undefined; lookupStats: LookupStats },
  events: PeerEvents,
): ThreadRouting {
  if (options === undefined) return unrouted(store)
  const { mode, peerCa: ca } = options
  const counts = lookupStats.forwards
  const routing = new Routing(store, { token, mode, tls: { ca }, counts, ...events })
  let generation = -1
  return {
    view: routing.store,
    requests: routing.requests,
    routing,
    setGroup(report) {
      store.setGroup(report)
      // A report is about more than plans.
      if (report.view === undefined || report.view.generation === generation) return false
      generation = report.view.generation
      routing.setGroup(report.view)
      return true
    },
    replaceToken: (text) => routing.replaceToken(text),
    close: () => routing.close(),
  }
}

function unrouted(store: Store): ThreadRouting {
  return { view: store, requests: undefined, routing: undefined, setGroup: hasNoPlan, replaceToken() {}, close() {} }
}

function hasNoPlan(): boolean {
  return false
}
