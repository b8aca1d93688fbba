/**
 * A writer thread and two reader threads at full speed over small segments, so that memory is reused all the time. The checker
 * (concurrency/history.ts) is itself tested: it has to find each planted defect.
 */
import { expect, test } from 'bun:test'
import { createShared } from '../support/map/concurrency/history.ts'
import type { Defect, FromReader, FromWriter, ToReader, ToWriter } from '../support/map/concurrency/messages.ts'

const readerThreads = 2

interface Outcome {
  readonly faults: readonly string[]
  readonly reads: number
  readonly changes: number
}

/** Runs until the writer has published so often, or a reader has found a fault. */
async function run(defect: Defect, publishes: number): Promise<Outcome> {
  const shared = createShared()
  const workers: Worker[] = []
  const start = (file: string) => {
    const worker = new Worker(new URL(`../support/map/concurrency/${file}`, import.meta.url))
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

test('readers see whole, put, ever newer values when a writer publishes at full speed', async () => {
  const { faults, reads, changes } = await run('none', 6000)
  expect(faults).toEqual([])
  expect(reads).toBeGreaterThan(10_000)
  expect(changes).toBeGreaterThan(1000)
  console.log(`concurrency: ${reads} reads, ${changes} changes seen`)
})

for (const defect of ['does not wait', 'does not ask', 'promises early'] as const) {
  test(`the checker finds a fault when the map ${defect}`, async () => {
    const { faults } = await run(defect, 1_000_000)
    expect(faults.length).toBeGreaterThan(0)
    console.log(`concurrency: ${defect}: ${faults[0]}`)
  })
}
