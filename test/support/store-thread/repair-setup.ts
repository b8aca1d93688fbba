/** A changelog made of records, and a map beside it. */
import type { RecordBatchReader } from '../../../lib/kafka/record-batch/index.ts'
import { headerOf, rawBatch, rawRecord } from '../kafka/record-batch/raw-batch.ts'
import { opened } from './stand-ins.ts'

/** Key, value or null, and `src`; or after which source offset it comes. */
export type Entry = [key: string, value: string | null, mark?: number | { aft: number } | undefined]

/** Each entry is a separate batch. */
export function batchOf(...entries: Entry[]): RecordBatchReader {
  const records = entries.map(([key, value, mark], offsetDelta) => {
    const header: [string, Buffer][] =
      mark === undefined ? [] : [typeof mark === 'number' ? ['src', headerOf(mark)] : ['aft', headerOf(mark.aft)]]
    return rawRecord({ offsetDelta, key, value, headers: header })
  })
  return opened(rawBatch({ records }))
}

export async function* logOf(...entries: Entry[]): AsyncGenerator<RecordBatchReader> {
  for (const entry of entries) yield batchOf(entry)
}
