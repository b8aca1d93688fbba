/** Waits for a source record. */
import type { StoreView } from '../http/handler.ts'

const waitMsDefault = 5_000

export interface AwaitedRecord {
  readonly partition: number
  readonly offset: number
  /** 5,000 by default. */
  readonly timeoutMs?: number
}

/** As KeyValueStore.waitFor(). */
export async function waitFor(
  { changes }: { readonly changes: Pick<StoreView['changes'], 'waitFor'> },
  { partition, offset, timeoutMs = waitMsDefault }: AwaitedRecord,
): Promise<void> {
  const over = Promise.withResolvers<void>()
  const timer = setTimeout(over.resolve, timeoutMs)
  try {
    await changes.waitFor(new Map([[partition, offset]]), over.promise)
  } finally {
    clearTimeout(timer)
  }
}
