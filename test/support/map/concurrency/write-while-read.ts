/** In a worker: a map over little memory, with a mistake planted on request, that is written while others read it. */
import { ChiralMap } from '../../../../lib/map/index.ts'
import { createRandom } from '../map-pair.ts'
import type { FromWriter, ToWriter, WriterStart } from './messages.ts'

declare const self: Worker

export const partitions: readonly number[] = [0, 1, 2]

class HastyMap extends ChiralMap {
  protected override awaitReaders(): Promise<void> {
    return Promise.resolve()
  }
}

export type Random = ReturnType<typeof createRandom>

/** @param held partitions that the map has from the start */
export function writeWhileRead(
  held: readonly number[],
  write: (map: ChiralMap, start: WriterStart, random: Random) => Promise<void>,
): void {
  let map: ChiralMap | undefined
  const post = (message: FromWriter) => self.postMessage(message)

  self.onmessage = ({ data }: MessageEvent<ToWriter>) => {
    if (data.kind === 'confirmed') {
      map?.confirmed(data.readerThread, data.version)
      return
    }
    map = mapOf(data, held, post)
    post({ kind: 'map', map: map.shared })
    void write(map, data, createRandom(7)).then(() => post({ kind: 'done' }))
  }
}

/** Whether a further publish is wanted, after so many. */
export function goesOn({ shared, publishes }: WriterStart, done: number): boolean {
  return done < publishes && Atomics.load(shared.stop, 0) === 0
}

function mapOf(
  { readerThreads, defect }: WriterStart,
  held: readonly number[],
  post: (message: FromWriter) => void,
): ChiralMap {
  const MapClass = defect === 'does not wait' ? HastyMap : ChiralMap
  const confirm = (version: number) => {
    for (let thread = 0; thread < readerThreads; thread++) queueMicrotask(() => map.confirmed(thread, version))
  }
  const map = new MapClass({
    partitions,
    held,
    partitionCount: partitions.length,
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
  return map
}
