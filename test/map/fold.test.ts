/**
 * Every answer with several keys, and every chunk of a walk, is what each partition showed at one position, at one instant of all maps. One or two
 * writer threads and a reader thread at full speed: every key is overwritten, a tenth deleted and added, tables grow, segments are cleaned.
 * The checker (fold/check.ts) is itself tested: it has to find each planted defect.
 */
import { expect, test } from 'bun:test'
import type { ChiralMapShared } from '../../lib/map/index.ts'
import {
  type FoldCounts,
  type FoldDefect,
  type FromFoldReader,
  type FromFoldWriter,
  stopWord,
  type ToFoldReader,
  type ToFoldWriter,
} from '../support/map/fold/messages.ts'

interface Outcome {
  readonly fault: string | undefined
  readonly counts: FoldCounts | undefined
}

const enough: FoldCounts = { answers: 600, chunks: 600, walks: 10, epochs: 100 }
/** For a planted defect: the run ends with the fault. */
const unlimited: FoldCounts = { answers: Number.POSITIVE_INFINITY, chunks: 0, walks: 0, epochs: 0 }

/** Runs until the reader has seen enough, or has found a fault. */
async function run(maps: number, seed: number, defect: FoldDefect, least: FoldCounts): Promise<Outcome> {
  const words = new Int32Array(new SharedArrayBuffer(4 * 64))
  const workers: Worker[] = []
  const start = (file: string) => {
    const worker = new Worker(new URL(`../support/map/fold/${file}`, import.meta.url))
    workers.push(worker)
    return worker
  }
  const reader = start('reader.ts')
  const writers = Array.from({ length: maps }, () => start('writer.ts'))
  const toReader = (message: ToFoldReader) => reader.postMessage(message)
  const toWriter = (map: number, message: ToFoldWriter) => writers[map]!.postMessage(message)
  const shared: ChiralMapShared[] = []
  /** For the reader, until it has started. */
  let early: ToFoldReader[] | undefined = []
  try {
    return await new Promise<Outcome>((resolve, reject) => {
      for (const worker of workers) worker.onerror = (event) => reject(new Error(event.message))
      const opened = (map: number, one: ChiralMapShared) => {
        shared[map] = one
        if (Object.keys(shared).length < maps) return
        toReader({ kind: 'start', shared, words, seed, least, defect })
        for (const message of early!) toReader(message)
        early = undefined
        for (const other of writers.keys()) {
          toWriter(other, { kind: 'controls', controls: shared.map(({ control }) => control) })
        }
      }
      const fromWriter = (map: number, data: FromFoldWriter) => {
        if (data.kind === 'map') opened(map, data.shared)
        else if (early === undefined) toReader({ kind: 'message', map, message: data.message })
        else early.push({ kind: 'message', map, message: data.message })
      }
      for (const [map, writer] of writers.entries()) {
        writer.onmessage = ({ data }: MessageEvent<FromFoldWriter>) => fromWriter(map, data)
      }
      reader.onmessage = ({ data }: MessageEvent<FromFoldReader>) => {
        if (data.kind === 'confirmed') toWriter(data.map, data)
        else if (data.kind === 'fault') resolve({ fault: data.fault, counts: undefined })
        else resolve({ fault: undefined, counts: data })
      }
      for (const map of writers.keys()) toWriter(map, { kind: 'start', words, maps, map, seed, defect })
    })
  } finally {
    Atomics.store(words, stopWord, 1)
    for (const worker of workers) worker.terminate()
  }
}

test.each([
  [1, 1],
  [1, 2],
  [2, 3],
  [2, 4],
])('answers and chunks are of one instant, and exact, with %i writer threads and seed %i', async (maps, seed) => {
  const { fault, counts } = await run(maps, seed, 'none', enough)
  expect(fault).toBeUndefined()
  console.log(`fold, ${maps} writer threads: ${JSON.stringify(counts)}`)
})

test.each<[maps: number, FoldDefect]>([
  [1, 'does not wait'],
  [1, 'enters twice'],
  [2, 'does not look again'],
])('the checker finds a fault with %i writer threads when the map or its reader %s', async (maps, defect) => {
  const { fault } = await run(maps, 5, defect, unlimited)
  expect(fault).toBeDefined()
  console.log(`fold: ${defect}: ${fault}`)
})
