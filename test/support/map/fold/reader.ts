/** Worker: reads many keys and chunks of walks, and compares each answer with what the partitions show at their positions. */
import {
  ChiralMapReaders,
  type EnteringReader,
  type MapEntry,
  type Reader,
  readTogether,
} from '../../../../lib/map/index.ts'
import { createRandom } from '../map-pair.ts'
import {
  checkChunk,
  checkCount,
  checkMany,
  checkRounds,
  createModel,
  type Model,
  type Shown,
  shownIn,
} from './check.ts'
import { keyCount, keyOf } from './history.ts'
import type { FoldCounts, FromFoldReader, ToFoldReader } from './messages.ts'

declare const self: Worker

type FoldReaderStart = Extract<ToFoldReader, { kind: 'start' }>

const readsBetweenEvents = 20
let readers: ChiralMapReaders[] = []

function post(message: FromFoldReader): void {
  self.postMessage(message)
}

self.onmessage = ({ data }: MessageEvent<ToFoldReader>) => {
  if (data.kind === 'message') {
    post({ kind: 'confirmed', map: data.map, version: readers[data.map]!.receive(data.message) })
    return
  }
  run(data).then(
    (counts) => post({ kind: 'done', ...counts }),
    (error: unknown) => post({ kind: 'fault', fault: error instanceof Error ? error.message : String(error) }),
  )
}

async function run(start: FoldReaderStart): Promise<FoldCounts> {
  readers = start.shared.map((shared) => new ChiralMapReaders(shared, 0))
  for (const [map, { version }] of readers.entries()) post({ kind: 'confirmed', map, version })
  const check = new Check(start)
  while (!check.hasSeen(start.least)) {
    const held = readers.map((pool) => pool.acquire() as Reader)
    for (let i = 0; i < readsBetweenEvents; i++) {
      check.many(held)
      check.chunk(held)
    }
    for (const [map, reader] of held.entries()) readers[map]!.release(reader)
    await new Promise((resolve) => {
      setImmediate(resolve)
    })
  }
  return check.counts
}

class Check {
  readonly #models: Model[]
  readonly #together: typeof readTogether
  readonly #entersTwice: boolean
  readonly #random: (end: number) => number
  #epoch = 0
  #epochs = 0
  #answers = 0
  #chunks = 0
  #walks = 0
  #partition = 0
  #hash = 0

  constructor({ shared, defect, seed }: FoldReaderStart) {
    this.#random = createRandom(seed)
    this.#models = createModel(shared)
    this.#together = defect === 'does not look again' ? withoutLookingAgain : readTogether
    this.#entersTwice = defect === 'enters twice'
  }

  get counts(): FoldCounts {
    return { answers: this.#answers, chunks: this.#chunks, walks: this.#walks, epochs: this.#epochs }
  }

  hasSeen({ answers, chunks, walks, epochs }: FoldCounts): boolean {
    return this.#answers >= answers && this.#chunks >= chunks && this.#walks >= walks && this.#epochs >= epochs
  }

  many(readersHeld: readonly Reader[]): void {
    const keys = Array.from({ length: 30 }, () => {
      const { partition, map } = this.#models[this.#random(this.#models.length)]!
      const number = this.#random(keyCount)
      return { partition, map, number, key: Buffer.from(keyOf(partition, number)) }
    })
    const bytes = keys.map(({ key }) => key)
    const owners = keys.map(({ map }) => map)
    const { shown, result } = this.#read(readersHeld, () => {
      for (const [map, reader] of readersHeld.entries()) reader.touch(bytes, 0, bytes.length, owners, map)
      return keys.map(({ map, key }) => readersHeld[map]!.find(key, Number.POSITIVE_INFINITY) as MapEntry | undefined)
    })
    checkMany(keys, result, shown)
    this.#answers++
  }

  chunk(readersHeld: readonly Reader[]): void {
    const model = this.#models[this.#partition]!
    const { partition, map } = model
    const hash = this.#hash
    const prefix = this.#random(5) === 0 ? Buffer.from(`${partition} key 1`) : undefined
    const withValues = this.#random(2) === 0
    const bounds = { limit: 1 + this.#random(300), withValues, ...(prefix === undefined ? {} : { prefix }) }
    const { shown, result } = this.#read(readersHeld, () => ({
      count: readersHeld[map]!.count(),
      chunk: readersHeld[map]!.readChunk(partition, hash, bounds),
    }))
    checkChunk(model, hash, bounds, result.chunk, shown[this.#partition]!)
    if (this.#random(10) === 0) checkCount(this.#models, shown, map, result.count)
    this.#chunks++
    this.#hash = result.chunk.next ?? 0
    if (result.chunk.next !== undefined) return
    this.#partition = (this.#partition + 1) % this.#models.length
    if (this.#partition === 0) this.#walks++
  }

  #read<T>(readersHeld: readonly Reader[], read: () => T): { shown: Shown[]; result: T } {
    const shownOf = () => this.#models.map((model) => shownIn(model, readersHeld))
    // Often the maps are published between two enters.
    const isSlow = this.#random(3) === 0
    const entering = isSlow ? readersHeld.map((reader) => slow(reader)) : readersHeld
    const { epoch, shown, result } = this.#together(entering, (exchanges) => ({
      epoch: exchanges,
      shown: shownOf(),
      result: read(),
    }))
    if (epoch < this.#epoch) throw new Error(`epoch ${epoch} after ${this.#epoch}`)
    if (epoch > this.#epoch) this.#epochs++
    this.#epoch = epoch
    checkRounds(this.#models, shown)
    return { shown, result: this.#entersTwice ? readTogether(readersHeld, read) : result }
  }
}

const pauseMs = 0.2
const pauseWord = new Int32Array(new SharedArrayBuffer(4))

/** The reader, but slow to enter. */
function slow(reader: Reader): EnteringReader {
  return {
    enter: () => {
      Atomics.wait(pauseWord, 0, 0, pauseMs)
      reader.enter()
    },
    turn: () => reader.turn(),
    leave: () => reader.leave(),
    get exchanges() {
      return reader.exchanges
    },
  }
}

/** readTogether with the defect that it enters one map after the other, and that is all. */
function withoutLookingAgain<T>(entered: readonly EnteringReader[], read: (exchanges: number) => T): T {
  for (const reader of entered) reader.enter()
  try {
    return read(entered.reduce((sum, { exchanges }) => sum + exchanges, 0))
  } finally {
    for (const reader of entered) reader.leave()
  }
}
