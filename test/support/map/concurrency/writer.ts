/** Worker: puts and publishes as fast as it can. */
import { ChiralMap } from '../../../../lib/map/index.ts'
import { createRandom } from '../map-pair.ts'
import { deletedEvery, keyCount, keyOf, writeValue } from './history.ts'
import type { FromWriter, ToWriter, WriterStart } from './messages.ts'

declare const self: Worker

class HastyMap extends ChiralMap {
  protected override awaitReaders(): Promise<void> {
    return Promise.resolve()
  }
}

let map: ChiralMap | undefined

function post(message: FromWriter): void {
  self.postMessage(message)
}

self.onmessage = ({ data }: MessageEvent<ToWriter>) => {
  if (data.kind === 'confirmed') map?.confirmed(data.readerThread, data.version)
  else void run(data)
}

async function run({ shared, readerThreads, publishes, defect }: WriterStart): Promise<void> {
  const partitions = [0, 1, 2]
  const MapClass = defect === 'does not wait' ? HastyMap : ChiralMap
  const written = new MapClass({
    partitions,
    partitionCount: 3,
    initialCapacity: 0,
    readersMax: 4,
    readerThreads,
    segmentBytes: 16 * 1024,
    slabBytes: 64 * 1024,
    announce: (message) => {
      post({ kind: 'message', message })
      if (defect !== 'does not ask') return
      for (let thread = 0; thread < readerThreads; thread++) {
        queueMicrotask(() => written.confirmed(thread, message.version))
      }
    },
  })
  map = written
  post({ kind: 'map', map: written.shared })
  for (const partition of partitions) written.open(partition)
  await written.publish()

  const random = createRandom(7)
  const keys = Array.from({ length: keyCount }, (_, number) => keyOf(number))
  const source = Buffer.alloc(300_000)
  const sequences = new Int32Array(keyCount)
  const touched = new Set<number>()
  let extra = 0
  for (let publish = 0; publish < publishes && Atomics.load(shared.stop, 0) === 0; publish++) {
    const operations = 1 + random(random(10) === 0 ? 1000 : 60)
    for (let i = 0; i < operations; i++) {
      const number = random(3) === 0 ? random(6) : random(keyCount)
      const key = keys[number]!
      source.set(key)
      const deleted = number % deletedEvery === 4 && random(3) === 0
      if (!deleted) Atomics.store(shared.put, number, ++sequences[number]!)
      const length = deleted ? -1 : writeValue(source, key.length, number, sequences[number]!)
      written.put(number % 3, source, 0, key.length, key.length, length, sequences[number]!, -1)
      touched.add(number)
    }
    // Further keys, so that tables and slabs keep growing.
    source.write(`extra ${extra++}`)
    written.put(extra % 3, source, 0, 6 + `${extra - 1}`.length, 0, 8, -1, -1)
    const raise = () => {
      for (const number of touched) Atomics.store(shared.required, number, sequences[number]!)
    }
    if (defect === 'promises early') raise()
    await written.publish()
    raise()
    touched.clear()
  }
  post({ kind: 'done' })
}
