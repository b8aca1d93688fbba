/** Reads memory over and over, and posts the first byte that differs from what is expected, or the number of rounds at the end. */
declare const self: Worker

export interface ToReadingThread {
  readonly memory: SharedArrayBuffer
  readonly expected: Uint8Array
  /** One word: 1 ends the thread. */
  readonly stop: SharedArrayBuffer
}

export interface FromReadingThread {
  readonly rounds: number
  readonly different: number
}

self.onmessage = ({ data: { memory, expected, stop } }: MessageEvent<ToReadingThread>) => {
  const bytes = Buffer.from(memory)
  const ended = new Int32Array(stop)
  let rounds = 0
  let different = -1
  while (Atomics.load(ended, 0) === 0 && different < 0) {
    if (Buffer.compare(bytes, expected) !== 0) different = bytes.findIndex((byte, at) => byte !== expected[at])
    rounds++
  }
  const answer: FromReadingThread = { rounds, different }
  self.postMessage(answer)
}
