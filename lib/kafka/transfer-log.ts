/**
 * Trace lines of Fetch and Produce, with their partitions. Callers check isTrace() first, so that nothing is built when
 * the level is off.
 */
import { loggerOf } from '../log/index.ts'
import { nounFor } from '../text/counted.ts'
import type { FetchResponse } from './protocol/fetch.ts'
import type { ProduceBatch } from './protocol/produce.ts'

const log = loggerOf('kafka')

export interface Timing {
  readonly sentAt: number
  /** Time until the response arrived, without its wait for the sink. */
  ms: number
}

export function timingOf(response: Promise<unknown>): Timing {
  const timing = { sentAt: performance.now(), ms: 0 }
  const settle = () => void (timing.ms = Math.round(performance.now() - timing.sentAt))
  response.then(settle, settle)
  return timing
}

/** Fetches that return no data are logged, too: `bytes` is 0. */
export function logFetch(topic: string, broker: string | undefined, response: FetchResponse, { ms }: Timing): void {
  const withData = response.partitions.filter(({ start, end }) => end > start)
  const partitions = withData.map(({ partition }) => partition)
  const bytes = withData.reduce((sum, { start, end }) => sum + end - start, 0)
  const { throttleMs } = response
  log.trace(
    `Fetched {bytes} bytes of {topic} ${nounFor(partitions.length, 'partition')} {partitions} from {broker} in {ms} ms`,
    {
      broker,
      topic,
      partitions,
      bytes,
      ms,
      throttleMs,
    },
  )
}

export function logProduce(
  topic: string,
  broker: string | undefined,
  sent: readonly ProduceBatch[],
  sentAt: number,
): void {
  const batches = nounFor(sent.length, 'batch', 'batches')
  const partitions = nounFor(sent.length, 'partition')
  log.trace(
    `Produced {batches} ${batches}, {bytes} bytes, to {topic} ${partitions} {partitions} at {broker} in {ms} ms`,
    {
      broker,
      topic,
      partitions: sent.map(({ partition }) => partition),
      batches: sent.length,
      bytes: sent.reduce((sum, { bytes }) => sum + bytes.length, 0),
      ms: Math.round(performance.now() - sentAt),
    },
  )
}
