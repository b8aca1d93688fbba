/** Starts a writer thread and reader threads over one map, and passes their messages on. */
import { createShared } from './history.ts'
import type { Defect, FromReader, FromWriter, ToReader, ToWriter } from './messages.ts'

const readerThreads = 2

export interface Outcome {
  readonly faults: readonly string[]
  readonly reads: number
  readonly changes: number
}

/**
 * Runs until the writer has published so often, or a reader has found a fault.
 * @param folder of writer.ts and reader.ts
 */
export async function runWorkers(folder: 'concurrency' | 'lives', defect: Defect, publishes: number): Promise<Outcome> {
  const shared = createShared()
  const workers: Worker[] = []
  const start = (file: string) => {
    const worker = new Worker(new URL(`../${folder}/${file}`, import.meta.url))
    workers.push(worker)
    return worker
  }
  const writer = start('writer.ts')
  const readers = Array.from({ length: readerThreads }, () => start('reader.ts'))
  const faults: string[] = []
  let reads = 0
  let changes = 0
  try {
    await new Promise<void>((resolve, reject) => {
      let running = readerThreads
      const stop = () => Atomics.store(shared.stop, 0, 1)
      const toWriter = (message: ToWriter) => writer.postMessage(message)
      const toReader = (reader: Worker, message: ToReader) => reader.postMessage(message)
      for (const worker of workers) worker.onerror = (event) => reject(new Error(event.message))
      writer.onmessage = ({ data }: MessageEvent<FromWriter>) => {
        if (data.kind === 'done') stop()
        else if (data.kind === 'map') {
          for (const [readerThread, reader] of readers.entries()) {
            toReader(reader, { kind: 'start', map: data.map, readerThread, shared })
          }
        } else {
          for (const reader of readers) toReader(reader, data)
        }
      }
      const fromReader = ({ data }: MessageEvent<FromReader>) => {
        if (data.kind === 'confirmed') {
          toWriter(data)
          return
        }
        if (data.kind === 'fault') {
          faults.push(data.fault)
          stop()
        } else {
          reads += data.reads
          changes += data.changes
        }
        if (--running === 0) resolve()
      }
      for (const reader of readers) reader.onmessage = fromReader
      toWriter({ kind: 'start', shared, readerThreads, publishes, defect })
    })
  } finally {
    for (const worker of workers) worker.terminate()
  }
  return { faults, reads, changes }
}
