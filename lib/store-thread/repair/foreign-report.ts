/** Counts and reports that another writer has appended to a changelog partition. */
import { loggerOf, RepeatedLog } from '../../log/index.ts'
import type { StoreContext } from '../store-context.ts'

const log = loggerOf('store')

export class ForeignReport {
  readonly #context: Pick<StoreContext, 'config' | 'post' | 'stats'>
  readonly #repeated = new RepeatedLog(log)

  constructor(context: Pick<StoreContext, 'config' | 'post' | 'stats'>) {
    this.#context = context
  }

  /** @param before offset before which the records are */
  found(partition: number, before: number): void {
    const { stats, post, config } = this.#context
    stats.add('foreignWrites', 1)
    const found = `another writer has appended before offset ${before}; find and stop it`
    const end = config.useProcessingOnly
      ? ', then restart this store, which may miss what it wrote'
      : '. Newer values that it replaces are written again'
    const reason = `${config.changelogTopic} partition ${partition}: ${found}${end}`
    this.#repeated.log('error', `foreign ${partition}`, '{reason}', { reason })
    post({ type: 'foreign', partition, reason })
  }
}
