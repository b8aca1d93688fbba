/**
 * Worker: looks keys up as fast as it can while their partitions come and go. A key of a partition that is there throughout is
 * found; a value of a life that had ended before the read is not.
 */
import { ChiralMapReaders } from '../../../../lib/map/index.ts'
import { checkValue, keyCount, keyOf } from '../concurrency/history.ts'
import type { FromReader, ToReader } from '../concurrency/messages.ts'

declare const self: Worker

const readsBetweenEvents = 300
const partitions = 3
let readers: ChiralMapReaders | undefined
let readerThread = 0

function post(message: FromReader): void {
  self.postMessage(message)
}

self.onmessage = ({ data }: MessageEvent<ToReader>) => {
  if (data.kind === 'start') void run(data)
  else post({ kind: 'confirmed', readerThread, version: readers!.receive(data.message) })
}

async function run({ map, shared, readerThread: thread }: Extract<ToReader, { kind: 'start' }>): Promise<void> {
  readerThread = thread
  readers = new ChiralMapReaders(map, thread)
  post({ kind: 'confirmed', readerThread, version: readers.version })
  const keys = Array.from({ length: keyCount }, (_, number) => keyOf(number))
  const seen = new Int32Array(keyCount)
  let reads = 0
  let changes = 0
  let state = thread + 1
  try {
    while (Atomics.load(shared.stop, 0) === 0) {
      const reader = await readers.acquire()
      for (let i = 0; i < readsBetweenEvents; i++) {
        state = (Math.imul(state, 1664525) + 1013904223) | 0
        const number = i % 3 === 0 ? (state >>> 16) % 6 : (state >>> 8) % keyCount
        const partition = number % partitions
        const life = Atomics.load(shared.present, partition)
        const ended = Atomics.load(shared.ended, partition)
        const found = reader.get(keys[number]!)
        reads++
        if (found === undefined) {
          const isPresent = life !== 0 && Atomics.load(shared.present, partition) === life
          if (isPresent) throw new Error(`lost: key ${number}, although partition ${partition} is there, life ${life}`)
          continue
        }
        const sequence = checkValue(number, found.value)
        if (found.offset !== sequence) throw new Error(`torn: key ${number}: ${sequence} at offset ${found.offset}`)
        if (sequence <= ended) throw new Error(`removed: key ${number}, ${sequence}; ${ended} and before have left`)
        if (sequence > Atomics.load(shared.put, number)) throw new Error(`never put: key ${number}, ${sequence}`)
        if (sequence < seen[number]!) throw new Error(`older: key ${number}, ${sequence} after ${seen[number]}`)
        if (sequence > seen[number]!) changes++
        seen[number] = sequence
      }
      readers.release(reader)
      await new Promise((resolve) => {
        setImmediate(resolve)
      })
    }
    post({ kind: 'done', reads, changes })
  } catch (error) {
    post({ kind: 'fault', fault: error instanceof Error ? error.message : String(error) })
  }
}
