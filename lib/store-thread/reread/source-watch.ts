/**
 * Detects that the source changed while the store runs. Another topic id shows that it was recreated. A leader epoch
 * that ends below the offset up to which it was read shows that the log was truncated by an unclean leader election. A
 * check runs after each election and at the first record of a new epoch.
 */
import { LatchkeyError } from '../../errors.ts'
import type { EpochTrail } from '../../kafka/epoch-trail.ts'
import { divergenceOf } from '../../kafka/leader-epochs.ts'
import { listOffsets } from '../../kafka/offsets.ts'
import type { Ingest } from '../ingest/ingest.ts'
import type { StoreContext } from '../store-context.ts'

export type SourceChange =
  | { kind: 'recreated'; id: string; former: string }
  /** From offset `at` on, the records are not those that were read. */
  | { kind: 'truncated'; at: number }

export interface ChangeSink {
  changed(partition: number, change: SourceChange): void
  /** Whether a change of the partition is being processed. */
  isChanging(partition: number): boolean
}

export class SourceWatch {
  readonly #context: StoreContext
  readonly #ingest: Pick<Ingest, 'partition'>
  readonly #sink: ChangeSink
  readonly #end: () => void

  constructor(context: StoreContext, ingest: Pick<Ingest, 'partition'>, sink: ChangeSink) {
    this.#context = context
    this.#ingest = ingest
    this.#sink = sink
    const { clients, config, roles } = context
    this.#end = clients.consumer.topics.watch(config.sourceTopic, {
      recreated: (id, former) => {
        for (const partition of roles.primaries) sink.changed(partition, { kind: 'recreated', id, former })
      },
      elected: (partition) => {
        this.#checkLater(partition, (epochs) => epochs.last)
      },
    })
  }

  stop(): void {
    this.#end()
  }

  /**
   * Called at the first record of a new leader epoch. Checks that the log still has the records of the epochs before.
   */
  epochBegan(partition: number): void {
    this.#checkLater(partition, (epochs) => epochs.last && epochs.upTo(epochs.last - 1))
  }

  /**
   * Called if the log does not have a position.
   * @returns whether the partition's source has changed, so that it is read from elsewhere
   */
  async hasChanged(partition: number, position: number): Promise<boolean> {
    const { clients, config } = this.#context
    const client = clients.consumer
    await client.metadata([config.sourceTopic])
    if (this.#sink.isChanging(partition)) return true
    if (await this.#check(partition, this.#ingest.partition(partition)?.epochs.last)) return true
    // Without known epochs, compares the end offset.
    const ends = await listOffsets(client, config.sourceTopic, [partition], 'latest', 'read_uncommitted')
    const at = ends.get(partition)!
    if (at >= position || this.#ingest.partition(partition) === undefined) return false
    this.#sink.changed(partition, { kind: 'truncated', at })
    return true
  }

  #checkLater(partition: number, asked: (epochs: EpochTrail) => number | undefined): void {
    const state = this.#ingest.partition(partition)
    if (state === undefined) return
    this.#check(partition, asked(state.epochs)).catch((error: unknown) => {
      // A broker that refuses this request has refused others before, and those are reported.
      if (!(error instanceof LatchkeyError)) this.#context.failed(error)
    })
  }

  /** @param asked the last epoch whose records must still be in the log */
  async #check(partition: number, asked: number | undefined): Promise<boolean> {
    const state = this.#ingest.partition(partition)
    if (state === undefined || asked === undefined) return false
    const { clients, config } = this.#context
    const client = clients.consumer
    const readTo = () => Math.max(state.consumed, state.reread?.until ?? 0)
    const at = await client.retryForever(() =>
      divergenceOf(client, config.sourceTopic, partition, state.epochs, asked, readTo),
    )
    if (at === undefined || at >= readTo() || this.#ingest.partition(partition) !== state) return false
    this.#sink.changed(partition, { kind: 'truncated', at })
    return true
  }
}
