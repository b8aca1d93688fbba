/** A store without Kafka: what HTTP sees of one, every answer settable. */
import type { Definition } from '../../../lib/definition/index.ts'
import { type Presentation, presentationOf } from '../../../lib/definition/presentation.ts'
import { createRequestHandler, observe, type RequestHandlerOptions, type StoreView } from '../../../lib/http/handler.ts'
import { type HttpServer, listen, type ListenOptions } from '../../../lib/server/listen.ts'
import type {
  ChunkBounds,
  EntryCount,
  ManyLookups,
  WalkChunk,
  WalkPosition,
} from '../../../lib/store-protocol/reads.ts'
import { Stats } from '../../../lib/store-protocol/stats.ts'
import type { Lookup, RecoveryProgress, StoreStatus } from '../../../lib/store-protocol/status.ts'
import { chunkOf, type FakeEntry, manyOf } from './fake-reads.ts'
import { FakeWaits } from './fake-waits.ts'

export class FakeStore implements StoreView {
  readonly id = 'orders'
  readonly presentation: Presentation
  stats = new Stats([0, 1])
  readonly changes = new FakeWaits()
  readers = { size: 1000, inUse: 0, waiting: 0 }
  state: StoreStatus
  /** What get() does; the entries by default. */
  onGet: (key: Uint8Array) => Lookup | undefined | Promise<Lookup | undefined>
  onFlush: () => Promise<number> = async () => 0
  epoch = 42
  heldPartitions = [0, 1, 2, 3]
  walkMark = 'm1'
  /** What getMany() and readChunk() do first, such as to throw. */
  onRead: () => void | Promise<void> = () => {}
  readonly #entries = new Map<string, FakeEntry>()

  constructor(definition?: Definition) {
    this.presentation = presentationOf(definition)
    this.onGet = (key) => {
      const found = this.#entries.get(hex(key))
      // A copy for each lookup, as a store's readers give one: it is the caller's.
      return found && { ...found, value: found.value.slice() }
    }
    this.state = {
      id: this.id,
      topics: { source: 'orders', changelog: 'orders-changelog' },
      formats: this.presentation.formats,
      state: 'running',
      partitions: { primary: [0, 1], replicas: [] },
      caughtUp: true,
      recovery: null,
      memory: { state: 'ok', max: null, budget: null, used: 66, free: 0 },
      skipped: { total: 0, byReason: {} },
      details: [0, 1].map((partition) => ({
        partition,
        role: 'primary',
        state: 'running',
        position: 10,
        end: 12,
        lag: 2,
        entries: 3,
        liveBytes: 30,
        totalBytes: 50,
        indexBytes: 16,
      })),
      conditions: [
        { name: 'recovered', ok: true },
        { name: 'caught_up', ok: true },
      ],
    }
  }

  put(key: string | Uint8Array, value: string | Uint8Array, record: Partial<Omit<Lookup, 'value'>> = {}): void {
    this.#entries.set(hex(bytesOf(key)), {
      key: bytesOf(key),
      value: bytesOf(value),
      partition: 3,
      offset: 42,
      timestamp: 1_700_000_000_000,
      ...record,
    })
  }

  get(key: Uint8Array): Lookup | undefined | Promise<Lookup | undefined> {
    return this.onGet(key)
  }

  delete(key: string | Uint8Array): void {
    this.#entries.delete(hex(bytesOf(key)))
  }

  getMany(keys: readonly Uint8Array[], bytesMax: number): ManyLookups | Promise<ManyLookups> {
    const read = () => ({ epoch: this.epoch, results: manyOf(keys, bytesMax, (key) => this.onGet(key)) })
    const before = this.onRead()
    return before ? before.then(read) : read()
  }

  readChunk(position: WalkPosition, bounds: ChunkBounds): WalkChunk | Promise<WalkChunk> {
    const read = () => ({ epoch: this.epoch, ...chunkOf([...this.#entries.values()], position, bounds) })
    const before = this.onRead()
    return before ? before.then(read) : read()
  }

  count(): EntryCount | Promise<EntryCount> {
    return { epoch: this.epoch, count: this.#entries.size }
  }

  flush(): Promise<number> {
    return this.onFlush()
  }

  status(): StoreStatus {
    return this.state
  }

  progress(): RecoveryProgress | null {
    return this.state.recovery
  }
}

/** A server with a separate store, at any free port, ended with `await using`. */
export interface Served extends AsyncDisposable {
  store: FakeStore
  server: HttpServer
  url: string
}

let hasFastPathDefault = true

/** What serveFake() does without the option. */
export function serveWithFastPath(hasFastPath: boolean): void {
  hasFastPathDefault = hasFastPath
}

/** @param definition of keys and values; raw where absent */
export function serveFake(
  options: Partial<ListenOptions> & RequestHandlerOptions = {},
  definition?: Definition,
): Served {
  return serveStore(new FakeStore(definition), options)
}

export function serveStore<Fake extends FakeStore>(
  store: Fake,
  options: Partial<ListenOptions> & RequestHandlerOptions = {},
): Served & { store: Fake } {
  const requestHandler = createRequestHandler(store, options, observe(store, '1.2.3'))
  const common = { bind: '127.0.0.1', port: 0, storeId: store.id, hasFastPath: hasFastPathDefault }
  const server = listen(requestHandler, { ...common, ...options })
  return { store, server, url: server.url, [Symbol.asyncDispose]: () => server.stop(0) }
}

export interface Problem {
  type: string
  title: string
  status: number
  detail: string
  code: string
  [member: string]: unknown
}

/** The problem of a response, after checking that it is one. */
export async function problemOf(response: Response): Promise<Problem> {
  const contentType = response.headers.get('content-type')
  if (contentType !== 'application/problem+json') throw new Error(`No problem but ${response.status} ${contentType}`)
  const problem = (await response.json()) as Problem
  if (problem.status !== response.status) throw new Error(`Status ${response.status} carries ${problem.status}`)
  return problem
}

function bytesOf(text: string | Uint8Array): Uint8Array {
  return typeof text === 'string' ? new TextEncoder().encode(text) : text
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}
