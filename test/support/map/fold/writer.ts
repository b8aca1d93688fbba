/** Worker: writes one of the maps as fast as it can, in rounds with the writers of the other maps. */
import { ChiralMap } from '../../../../lib/map/index.ts'
import { createRandom } from '../map-pair.ts'
import { furtherOf, operationOf, positionKeyOf, writeValue } from './history.ts'
import {
  exchangesWord,
  type FoldStart,
  type FromFoldWriter,
  roundWord,
  stopWord,
  type ToFoldWriter,
} from './messages.ts'

declare const self: Worker

class HastyMap extends ChiralMap {
  protected override awaitReaders(): Promise<void> {
    return Promise.resolve()
  }
}

let map: ChiralMap | undefined
const controls = Promise.withResolvers<Int32Array[]>()
const source = Buffer.alloc(4096)

function post(message: FromFoldWriter): void {
  self.postMessage(message)
}

self.onmessage = ({ data }: MessageEvent<ToFoldWriter>) => {
  if (data.kind === 'confirmed') map?.confirmed(0, data.version)
  else if (data.kind === 'controls') controls.resolve(data.controls.map((buffer) => new Int32Array(buffer)))
  else void run(data)
}

async function run({ words, maps, map: own, seed, defect }: FoldStart): Promise<void> {
  const partitions = [own, own + maps]
  const MapClass = defect === 'does not wait' ? HastyMap : ChiralMap
  const written = new MapClass({
    partitions,
    partitionCount: 2 * maps,
    initialCapacity: 0,
    readersMax: 2,
    readerThreads: 1,
    segmentBytes: 16 * 1024,
    slabBytes: 64 * 1024,
    announce: (message) => post({ kind: 'message', message }),
  })
  map = written
  const random = createRandom(seed + own)
  const positions = new Map(partitions.map((partition) => [partition, 0]))
  const write = (partition: number, records: number, round: number) => {
    const first = positions.get(partition)!
    for (let record = first; record < first + records; record++) put(written, partition, record)
    positions.set(partition, first + records)
    putKey(written, partition, positionKeyOf(partition), first + records, false, round)
  }
  for (const partition of partitions) {
    write(partition, 700, 0)
    written.open(partition)
  }
  const control = new Int32Array(written.shared.control)
  post({ kind: 'map', shared: written.shared })
  const all = await controls.promise
  await written.publish()
  for (let round = 1; Atomics.load(words, stopWord) === 0; round++) {
    for (const partition of partitions) write(partition, 1 + random(random(20) === 0 ? 1500 : 40), round)
    // The maps are published in turn: each after the sides of the one before it were exchanged, the first after the last.
    const before = (own + maps - 1) % maps
    const due = own === 0 ? round - 1 : round
    const isDue = () => due === 0 || maps === 1 || hasPublished(words, all[before]!, before, due)
    while (!isDue() && Atomics.load(words, stopWord) === 0) await nextEvents()
    Atomics.store(words, exchangesWord(own), Atomics.load(control, 0))
    Atomics.store(words, roundWord(own), round)
    await written.publish()
  }
}

/** Whether the sides of a map were exchanged for a round. */
function hasPublished(words: Int32Array, control: Int32Array, other: number, round: number): boolean {
  const begun = Atomics.load(words, roundWord(other))
  return begun > round || (begun === round && Atomics.load(control, 0) !== Atomics.load(words, exchangesWord(other)))
}

function put(written: ChiralMap, partition: number, record: number): void {
  const { key, isDelete } = operationOf(partition, record)
  putKey(written, partition, key, record, isDelete)
  const further = furtherOf(partition, record)
  if (further !== undefined) putKey(written, partition, further, record, false)
}

function putKey(
  written: ChiralMap,
  partition: number,
  key: string,
  record: number,
  isDelete: boolean,
  timestamp = -1,
): void {
  const keyLength = source.write(key)
  const valueLength = isDelete ? -1 : writeValue(source, keyLength, record)
  written.put(partition, source, 0, keyLength, keyLength, valueLength, record, timestamp)
}

function nextEvents(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve)
  })
}
