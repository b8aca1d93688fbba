/** Worker: adds, fills, overwrites and removes partitions as fast as it can, over little memory. */
import { ChiralMap } from '../../../../lib/map/index.ts'
import { keyCount, keyOf, type Shared, writeValue } from '../concurrency/history.ts'
import type { FromWriter, ToWriter, WriterStart } from '../concurrency/messages.ts'
import { createRandom } from '../map-pair.ts'

declare const self: Worker

class HastyMap extends ChiralMap {
  protected override awaitReaders(): Promise<void> {
    return Promise.resolve()
  }
}

const partitions = [0, 1, 2]
/** Always there, so that a removal has other partitions to reuse the memory. */
const staying = 0

let map: ChiralMap | undefined
const source = Buffer.alloc(300_000)
let sequence = 0

function post(message: FromWriter): void {
  self.postMessage(message)
}

self.onmessage = ({ data }: MessageEvent<ToWriter>) => {
  if (data.kind === 'confirmed') map?.confirmed(data.readerThread, data.version)
  else void run(data)
}

async function run({ shared, readerThreads, publishes, defect }: WriterStart): Promise<void> {
  const MapClass = defect === 'does not wait' ? HastyMap : ChiralMap
  const confirm = (version: number) => {
    for (let thread = 0; thread < readerThreads; thread++) queueMicrotask(() => written.confirmed(thread, version))
  }
  const written = new MapClass({
    partitions,
    held: [],
    partitionCount: 3,
    initialCapacity: 0,
    readersMax: 4,
    readerThreads,
    segmentBytes: 16 * 1024,
    slabBytes: 64 * 1024,
    announce: (message) => {
      const isForgotten = defect === 'takes one side' && message.kind === 'gone' && message.side === 1
      if (!isForgotten) post({ kind: 'message', message })
      if (isForgotten || defect === 'does not ask') confirm(message.version)
    },
  })
  map = written
  post({ kind: 'map', map: written.shared })
  const random = createRandom(7)
  let life = 0
  for (let publish = 0; publish < publishes && Atomics.load(shared.stop, 0) === 0; publish++) {
    for (const partition of partitions) {
      if (!written.holds(partition)) {
        written.add(partition)
        for (let number = partition; number < keyCount; number += 3) put(written, shared, number)
        written.open(partition)
      } else if (partition !== staying && random(3) === 0) {
        Atomics.store(shared.present, partition, 0)
        for (let i = random(20); i > 0; i--) put(written, shared, partition + 3 * random(100))
        written.remove(partition)
      } else {
        for (let i = random(40); i > 0; i--) put(written, shared, partition + 3 * random(100))
      }
    }
    await written.publish()
    for (const partition of partitions) {
      if (!written.holds(partition)) Atomics.store(shared.ended, partition, sequence)
      else if (Atomics.load(shared.present, partition) === 0) Atomics.store(shared.present, partition, ++life)
    }
  }
  post({ kind: 'done' })
}

function put(written: ChiralMap, shared: Shared, number: number): void {
  const key = keyOf(number)
  source.set(key)
  Atomics.store(shared.put, number, ++sequence)
  const length = writeValue(source, key.length, number, sequence)
  written.put(number % 3, source, 0, key.length, key.length, length, sequence, -1)
}
