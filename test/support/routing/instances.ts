/** Instances of a group in one process, each with an HTTP server and routing of its own, without Kafka. */
import type { Route } from '../../../lib/group-protocol/member.ts'
import { createRequestHandler, observe } from '../../../lib/http/handler.ts'
import { Routing, type RoutingOptions } from '../../../lib/routing/index.ts'
import { type HttpServer, listen, type ListenOptions } from '../../../lib/server/listen.ts'
import { FakeCopies, primary, replica } from './fake-copies.ts'

export interface Instance<Store extends FakeCopies = FakeCopies> extends AsyncDisposable {
  readonly name: string
  readonly store: Store
  readonly routing: Routing<FakeCopies>
  readonly server: HttpServer
  /** Where others find it; that of its server by default. */
  url: string
  get(key: string, query?: string): Promise<Response>
}

export interface InstanceOptions extends Partial<RoutingOptions> {
  token?: string | undefined
  listen?: Partial<ListenOptions>
}

export function startInstance(name: string, options: InstanceOptions = {}): Instance {
  return startInstanceOf(name, new FakeCopies(), options)
}

export function startInstanceOf<Store extends FakeCopies>(
  name: string,
  store: Store,
  options: InstanceOptions = {},
): Instance<Store> {
  const { token, listen: listening, ...others } = options
  const routing = new Routing(store, { token, mode: 'proxy', roundsMs: 100, ...others })
  const handler = createRequestHandler(
    routing.store,
    { token, group: routing.requests },
    observe(routing.store, '1.2.3'),
  )
  const server = listen(handler, { bind: '127.0.0.1', port: 0, storeId: store.id, ...listening })
  const authorization: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` }
  return {
    name,
    store,
    routing,
    server,
    url: server.url,
    get(key, query = '') {
      return fetch(`${server.url}/stores/orders/${key}${query}`, { headers: authorization })
    },
    async [Symbol.asyncDispose]() {
      routing.close()
      await server.stop(0)
    },
  }
}

/** Counts the requests of other instances from now on. @returns how many there were so far */
export function countRequests({ routing: { requests } }: Instance): () => number {
  let count = 0
  const answer = requests.answer.bind(requests)
  requests.answer = (kind, body) => {
    count++
    return answer(kind, body)
  }
  return () => count
}

/** Who holds a partition, by names: the primary first. */
export type Holders = readonly (readonly string[])[]

/** What a plan says of each partition. */
interface Facts {
  hasStrangers?: boolean
  isComplete?: boolean
}

let generation = 0

/** Gives all instances a plan, and the copies that it names. */
export function plan(
  instances: readonly Instance[],
  holders: Holders,
  outsiders: readonly Member[] = [],
  facts: Facts = {},
): void {
  for (const { name, store } of instances) {
    store.copies.clear()
    for (const [partition, [first, ...copies]] of holders.entries()) {
      if (first === name) store.copies.set(partition, primary)
      else if (copies.includes(name)) store.copies.set(partition, replica)
    }
  }
  announce(instances, holders, outsiders, facts)
}

export interface Member {
  name: string
  url: string
}

/** Gives all instances a plan, which is true or not. */
export function announce(
  instances: readonly Instance[],
  holders: Holders,
  outsiders: readonly Member[] = [],
  { hasStrangers = false, isComplete = true }: Facts = {},
): void {
  generation++
  const members = [...instances, ...outsiders].map(({ name, url }) => ({ memberId: `member-${name}`, id: name, url }))
  const at = (name: string | undefined) => members.findIndex(({ id }) => id === name)
  const routes = holders.map(([first, ...copies]): Route => {
    const route = { primary: at(first), copies: copies.map(at), target: -1, isComplete, hasStrangers }
    return { ...route, isRetaining: false, isStalled: false }
  })
  for (const { name, routing } of instances) {
    const view = { plan: { members, routes, excluded: [] }, memberId: `member-${name}`, generation }
    routing.setGroup(view)
  }
}

export function put(instances: readonly Instance[], key: string, value: string): void {
  for (const { store } of instances) store.records.set(key, value)
}
