/** In a worker: looks keys up as fast as it can, and checks every answer. */
import { ChiralMapReaders } from '../../../../lib/map/index.ts'
import { checkValue, keyCount, keyOf, type Shared } from './history.ts'
import type { FromReader, ToReader } from './messages.ts'

declare const self: Worker

const readsBetweenEvents = 300

/** What else has to hold for a key, beside whole values that were put and never become older. Each throws what does not. */
export interface Rules {
  /** Called before the read: notes what is known by then. */
  before(key: number): void
  missed(key: number): void
  found(key: number, sequence: number): void
}

export function checkReads(rulesOf: (shared: Shared) => Rules): void {
  let readers: ChiralMapReaders | undefined
  let readerThread = 0
  const post = (message: FromReader) => self.postMessage(message)

  self.onmessage = ({ data }: MessageEvent<ToReader>) => {
    if (data.kind === 'message') {
      post({ kind: 'confirmed', readerThread, version: readers!.receive(data.message) })
      return
    }
    readerThread = data.readerThread
    readers = new ChiralMapReaders(data.map, readerThread)
    post({ kind: 'confirmed', readerThread, version: readers.version })
    run(readers, readerThread, data.shared, rulesOf(data.shared)).then(post, (error: unknown) => {
      post({ kind: 'fault', fault: error instanceof Error ? error.message : String(error) })
    })
  }
}

async function run(readers: ChiralMapReaders, readerThread: number, shared: Shared, rules: Rules): Promise<FromReader> {
  const keys = Array.from({ length: keyCount }, (_, number) => keyOf(number))
  const seen = new Int32Array(keyCount)
  let reads = 0
  let changes = 0
  let state = readerThread + 1
  while (Atomics.load(shared.stop, 0) === 0) {
    const reader = await readers.acquire()
    for (let i = 0; i < readsBetweenEvents; i++) {
      state = (Math.imul(state, 1664525) + 1013904223) | 0
      const number = i % 3 === 0 ? (state >>> 16) % 6 : (state >>> 8) % keyCount
      rules.before(number)
      const found = reader.get(keys[number]!)
      reads++
      if (found === undefined) {
        rules.missed(number)
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
      rules.found(number, sequence)
      if (sequence > seen[number]!) changes++
      seen[number] = sequence
    }
    readers.release(reader)
    await new Promise((resolve) => {
      setImmediate(resolve)
    })
  }
  return { kind: 'done', reads, changes }
}
