/** Worker: looks keys up as fast as it can, and checks every answer. */
import { ChiralMapReaders } from '../../../../lib/map/index.ts'
import { checkValue, deletedEvery, keyCount, keyOf } from './history.ts'
import type { FromReader, ToReader } from './messages.ts'

declare const self: Worker

const readsBetweenEvents = 300
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
        const required = Atomics.load(shared.required, number)
        const found = reader.get(keys[number]!)
        reads++
        if (found === undefined) {
          if (required > 0 && number % deletedEvery !== 4) {
            throw new Error(`lost: key ${number}, sequence ${required} is published`)
          }
          continue
        }
        const sequence = checkValue(number, found.value)
        if (found.offset !== sequence) {
          throw new Error(`torn: key ${number} has sequence ${sequence} and offset ${found.offset}`)
        }
        if (sequence > Atomics.load(shared.put, number)) {
          throw new Error(`never put: key ${number}, sequence ${sequence}`)
        }
        if (sequence < seen[number]!) throw new Error(`older: key ${number}, ${sequence} after ${seen[number]}`)
        if (sequence < required && number % deletedEvery !== 4) {
          throw new Error(`late: key ${number}, sequence ${sequence}, but ${required} is published`)
        }
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
