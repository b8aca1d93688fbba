/** Instances of a group in this process, without HTTP: each has a store and a group thread of its own. */
import { ElasticInstance, groupNoticeFor } from '../../../lib/elastic/elastic-instance.ts'
import type { GroupStatus } from '../../../lib/group-protocol/group-status.ts'
import type { GroupReport } from '../../../lib/store-protocol/group-report.ts'
import type { StoreConfig } from '../../../lib/store-protocol/store-config.ts'
import { ownThreads } from '../../../lib/store/store-port.ts'
import { startStore, type Store } from '../../../lib/store/store.ts'
import type { Fixture } from '../store/fixture.ts'

const sessionTimeoutMs = 6_000
const logging = { level: 'error', structured: false } as const

export interface GroupInstanceOptions {
  number: number
  standbys?: number
  token?: string
  settings?: Partial<StoreConfig>
}

export class TestInstance {
  readonly url: string
  readonly store: Store
  readonly failures: string[] = []
  readonly #elastic: ElasticInstance
  #report: GroupReport | undefined

  constructor(fixture: Fixture, { number, standbys = 1, token, settings = {} }: GroupInstanceOptions) {
    this.url = `http://10.0.0.${number}:8080`
    const notice = groupNoticeFor(sessionTimeoutMs)
    const config = fixture.config({ elastic: { lingerMs: 20, notice }, ...settings })
    this.#elastic = new ElasticInstance({ config, logging, name: config.storeId, standbys, routing: 'proxy' })
    this.store = startStore(config, logging, undefined, this.#elastic.observe(ownThreads))
    const report = (said: GroupReport) => {
      this.#report = said
      this.store.setGroup(said)
    }
    const failed = ({ message }: Error) => void this.failures.push(message)
    const place = { url: this.url, scheme: 'http', port: 8080 } as const
    this.#elastic.begin(this.store, place, token, { report, failed, peers: () => new Map() })
  }

  get group(): GroupStatus {
    return this.#report!.status
  }

  /** Names of the conditions of readiness that do not hold. */
  get failing(): string[] {
    return this.store.status().conditions.flatMap(({ name, ok }) => (ok ? [] : [name]))
  }

  /** Partitions that it has, and can answer from. */
  get held(): { primaries: number[]; replicas: number[] } {
    const { stats } = this.store
    const heldAs = (role: number, gauge: 'caughtUp' | 'ready') =>
      stats.partitions.filter((one) => stats.gauge(one, 'role') === role && stats.gauge(one, gauge) === 1)
    return { primaries: heldAs(0, 'caughtUp'), replicas: heldAs(1, 'ready') }
  }

  replaceToken(token: string): void {
    this.#elastic.post({ type: 'token', token })
  }

  /** Ends as a process does after SIGTERM. */
  async stop(handoverSeconds = 20): Promise<void> {
    await this.#elastic.leave(handoverSeconds)
    await this.store.close()
  }
}

export class TestGroup {
  readonly fixture: Fixture
  readonly #instances = new Set<TestInstance>()

  constructor(fixture: Fixture) {
    this.fixture = fixture
  }

  start(options: GroupInstanceOptions): TestInstance {
    const instance = new TestInstance(this.fixture, options)
    this.#instances.add(instance)
    return instance
  }

  /** To be called before the fixture is disposed of. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#instances].map((instance) => instance.stop(0)))
  }
}
