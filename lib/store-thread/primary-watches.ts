/** Watches what concerns all primary partitions while the store runs: the ends of both logs, and when to take them again. */
import type { EndsWatch } from '../kafka/ends-watch.ts'
import { watchEnds } from './ends.ts'
import type { Ingest } from './ingest/ingest.ts'
import { ChangelogWatch } from './repair/changelog-watch.ts'
import type { Contests } from './repair/contests.ts'
import type { Repairs } from './repair/repairs.ts'
import type { StoreContext } from './store-context.ts'

/**
 * Interval at which partitions are taken again. Brokers forget the sequence numbers of a producer that is silent for a
 * day (producer.id.expiration.ms).
 */
const renewIntervalMs = 12 * 3600 * 1000

export class PrimaryWatches {
  readonly #renewTimer: ReturnType<typeof setInterval>
  readonly #ends: EndsWatch<number>
  readonly #changelog: ChangelogWatch

  constructor({ clients, config, roles, stats }: StoreContext, ingest: Ingest, repairs: Repairs, contests: Contests) {
    this.#renewTimer = setInterval(() => ingest.repairs.renew(), renewIntervalMs)
    this.#ends = watchEnds(clients.consumer, config.sourceTopic, roles.primaries, stats)
    this.#changelog = new ChangelogWatch(clients.producer, config.changelogTopic, {
      partitions: () => roles.primaries,
      written: (partition) => ingest.changelogEnd(partition),
      endsEarly: (partition) => void repairs.look(partition),
      endsLate: (partition, range) => contests.found(partition, range),
      recreated: () => repairs.recreated(),
      elected: (partition) => void repairs.look(partition),
    })
  }

  stop(): void {
    clearInterval(this.#renewTimer)
    this.#ends.stop()
    this.#changelog.stop()
  }
}
