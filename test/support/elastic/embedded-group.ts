/** Programs in this process that each embed a store of one group, and serve it. */
import { type Handler, type KeyValueStore, openStore, serve } from '../../../lib/index.ts'
import type { OpenOptions } from '../../../lib/library/open-options.ts'
import type { Fixture } from '../store/fixture.ts'
import { until } from '../until.ts'

export interface Embedded {
  readonly store: KeyValueStore<string, string>
  readonly url: string
  close(): Promise<void>
}

export class EmbeddedGroup implements AsyncDisposable {
  readonly fixture: Fixture
  readonly instances: Embedded[] = []

  constructor(fixture: Fixture) {
    this.fixture = fixture
  }

  /** Starts so many programs, and waits until all partitions are shared and were read to the end of the source. */
  static async start(fixture: Fixture, count: number, options: Partial<OpenOptions> = {}): Promise<EmbeddedGroup> {
    const group = new EmbeddedGroup(fixture)
    for (let index = 0; index < count; index++) group.open(options)
    await Promise.all(group.instances.map(({ store }) => store.ready))
    await until('the partitions to be shared', () => group.isShared(fixture.partitions), 40_000)
    return group
  }

  open(options: Partial<OpenOptions> = {}): Embedded {
    let answer: Handler = () => new Response(null, { status: 503 })
    const server = Bun.serve({ hostname: '127.0.0.1', port: 0, fetch: (request) => answer(request) })
    const url = `http://127.0.0.1:${server.port}`
    const store = openStore<string, string>({
      sourceTopic: this.fixture.source,
      kafkaBrokers: this.fixture.cluster.broker.bootstrap,
      keyFormat: 'utf8',
      valueFormat: 'utf8',
      elastic: true,
      advertisedUrl: url,
      handoverSeconds: 5,
      ...options,
    })
    answer = serve(store)
    const close = async () => {
      await store.close()
      await server.stop(true)
    }
    const instance = { store, url, close }
    this.instances.push(instance)
    return instance
  }

  /** Whether each partition has one primary that has read all of the source, no instance more than one beyond others. */
  isShared(partitions: number): boolean {
    const primaries = this.instances.map((instance) => this.primariesOf(instance).length)
    const isAll = primaries.reduce((sum, count) => sum + count, 0) === partitions
    return isAll && Math.max(...primaries) - Math.min(...primaries) <= 1
  }

  primariesOf({ store }: Embedded): number[] {
    if (!store.status().caughtUp) return []
    const isPrimary = ({ role, state }: { role: string; state: string }) => role === 'primary' && state === 'running'
    return store
      .status()
      .details.filter(isPrimary)
      .map(({ partition }) => partition)
  }

  /** Returns the instance that is primary of a partition, after a while if there is none now. */
  async ownerOf(partition: number): Promise<Embedded> {
    const owner = () => this.instances.find((instance) => this.primariesOf(instance).includes(partition))
    await until(`partition ${partition} to have a primary`, () => owner() !== undefined)
    return owner()!
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.instances.map((instance) => instance.close()))
  }
}
