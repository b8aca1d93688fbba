/**
 * A store's worker without a separate thread: what it logs can be seen. Stands in for `Worker` while a store is opened, and does what
 * lib/store-thread/thread.ts does.
 */
import { LatchkeyError, messageOf } from '../../../lib/errors.ts'
import { configureLogging } from '../../../lib/log/index.ts'
import type { FromThread, PlainError, ToThread } from '../../../lib/store-protocol/thread-messages.ts'
import { StoreThread } from '../../../lib/store-thread/store-thread.ts'

class InThreadWorker extends EventTarget {
  onmessage: ((event: { data: FromThread }) => void) | undefined
  readonly #write: (line: string) => void
  #store: StoreThread | undefined

  constructor(write: (line: string) => void) {
    super()
    this.#write = write
  }

  postMessage(message: ToThread): void {
    queueMicrotask(() => void this.#received(message))
  }

  terminate(): void {}

  async #received(message: ToThread): Promise<void> {
    if (message.type === 'start') {
      configureLogging({ level: 'debug', structured: false, write: this.#write })
      const load = StoreThread.load(message.config, (data) => this.#post(data))
      const run = async () => {
        this.#store = await load
        await this.#store.run()
      }
      await this.#answer(
        run().then(() => ({ type: 'closed' })),
        (error) => ({ type: 'failed', error }),
      )
    } else if (message.type === 'confirmed') this.#store!.confirmed(message.readerThread, message.version)
    else if (message.type === 'write') this.#store!.write(message.partition, message)
    else if (message.type === 'watch') this.#store!.watch(message.readerThread, message.watching)
    else if (message.type === 'snapshots-locked') this.#store!.snapshotsLocked()
    else if (message.type === 'read-keys') this.#store!.readKeys(message)
    else if (message.type === 'roles') this.#store!.want(message)
    else if (message.type === 'close') void this.#store!.close()
    else if (message.type === 'flush') {
      const { id } = message
      await this.#answer(
        this.#store!.flush().then((operations) => ({ type: 'flushed', id, operations })),
        (error) => ({ type: 'flush-failed', id, error }),
      )
    }
  }

  async #answer(work: Promise<FromThread>, failed: (error: PlainError) => FromThread): Promise<void> {
    const answer = await work.catch((error: unknown) =>
      failed({ code: error instanceof LatchkeyError ? error.code : 'internal', message: messageOf(error) }),
    )
    this.#post(answer)
  }

  #post(data: FromThread): void {
    queueMicrotask(() => this.onmessage?.({ data }))
  }
}

/** Calls `open` with a `Worker` that runs in this thread and hands its log lines to `write`. */
export function withoutThread<T>(write: (line: string) => void, open: () => T): T {
  const { Worker } = globalThis
  globalThis.Worker = function construct() {
    return new InThreadWorker(write)
  } as unknown as typeof globalThis.Worker
  try {
    return open()
  } finally {
    globalThis.Worker = Worker
  }
}
