/** Reasons why a store does not answer. */
import { LatchkeyError } from '../errors.ts'
import type { RecoveryProgress, StoreState } from '../store-protocol/status.ts'

/**
 * @param attempted beginning of the message: `Reading store orders`
 * @param coming state and progress of the store while it starts
 */
export function notServing(
  attempted: string,
  state: StoreState,
  coming: { state: StoreState; recovery: RecoveryProgress | null },
): LatchkeyError {
  switch (state) {
    case 'failed':
      return new LatchkeyError('store_failed', `${attempted}: the store has failed`)
    case 'stopping':
      return new LatchkeyError('stopping', `${attempted}: it is stopping`)
    default: {
      const { recovery } = coming
      const details = { state: coming.state, ...(recovery === null ? {} : { progress: recovery }) }
      return new LatchkeyError('recovering', `${attempted}: it is still ${coming.state}`, { details })
    }
  }
}

export function processingOnly(attempted: string): LatchkeyError {
  const message = `${attempted}: this instance holds nothing in memory (USE_PROCESSING_ONLY); ask one that does`
  return new LatchkeyError('processing_only', message)
}
