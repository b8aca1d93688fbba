/** Why a store does not answer. */
import { LatchkeyError } from '../../errors.ts'
import { type RecoveryProgress, type StoreState } from '../contract/status.ts'

/**
 * @param attempted begins the message: `Reading store orders`
 * @param first of the store thread that comes up first, on which the others wait
 */
export function notServing(
  attempted: string,
  state: StoreState,
  first: { state: StoreState; recovery: RecoveryProgress | null },
): LatchkeyError {
  switch (state) {
    case 'failed':
      return new LatchkeyError('store_failed', `${attempted}: the store has failed`)
    case 'stopping':
      return new LatchkeyError('stopping', `${attempted}: it is stopping`)
    default: {
      const { recovery } = first
      const details = { state: first.state, ...(recovery === null ? {} : { progress: recovery }) }
      return new LatchkeyError('recovering', `${attempted}: it is still ${first.state}`, { details })
    }
  }
}

export function processingOnly(attempted: string): LatchkeyError {
  const message = `${attempted}: this instance holds nothing in memory (USE_PROCESSING_ONLY); ask one that does`
  return new LatchkeyError('processing_only', message)
}
