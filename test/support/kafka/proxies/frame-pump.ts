import type { Socket } from 'node:net'

/** What is waiting to be forwarded before the source is read no further. */
const queuedBytesMax = 64 * 1024 * 1024
const lengthBytes = 4

/** Decides about a frame (without its length) that arrived at `arrivedAtMs` (performance.now()): see `Verdict` in tcp-proxy.ts. */
export type Judge = (frame: Buffer, arrivedAtMs: number) => Promise<Buffer | 'drop' | undefined | void>

/** Carries whole Kafka frames (4 bytes of length, then the frame) from one socket to another, in order, each once it was judged. */
export class FramePump {
  /** Frames written to the sink. */
  delivered = 0
  readonly #source: Socket
  readonly #sink: Socket
  readonly #judge: Judge
  readonly #queue: { frame: Buffer; arrivedAtMs: number }[] = []
  #queuedBytes = 0
  #chunks: Buffer[] = []
  #chunkBytes = 0
  #running: Promise<void> | undefined

  constructor(source: Socket, sink: Socket, judge: Judge) {
    this.#source = source
    this.#sink = sink
    this.#judge = judge
    source.on('data', (chunk: Buffer) => this.#take(chunk))
    source.on('error', () => {}) // 'close' follows
  }

  /** Resolves once all that has arrived so far was judged and written. */
  async drained(): Promise<void> {
    while (this.#running) await this.#running
  }

  #take(chunk: Buffer): void {
    this.#chunks.push(chunk)
    this.#chunkBytes += chunk.length
    while (this.#chunkBytes >= lengthBytes) {
      const frameBytes = this.#peekLength()
      if (frameBytes < 0) return void this.#source.destroy()
      if (this.#chunkBytes < lengthBytes + frameBytes) break
      const received = this.#chunks.length === 1 ? this.#chunks[0]! : Buffer.concat(this.#chunks)
      this.#queue.push({
        frame: received.subarray(lengthBytes, lengthBytes + frameBytes),
        arrivedAtMs: performance.now(),
      })
      this.#queuedBytes += frameBytes
      this.#chunkBytes -= lengthBytes + frameBytes
      this.#chunks = this.#chunkBytes > 0 ? [received.subarray(lengthBytes + frameBytes)] : []
    }
    if (this.#queue.length === 0) return
    if (this.#queuedBytes > queuedBytesMax) this.#source.pause()
    this.#running ??= this.#run()
  }

  #peekLength(): number {
    if (this.#chunks[0]!.length < lengthBytes) this.#chunks = [Buffer.concat(this.#chunks)]
    return this.#chunks[0]!.readInt32BE(0)
  }

  async #run(): Promise<void> {
    for (let next = this.#queue[0]; next; next = this.#queue[0]) {
      const verdict = await this.#judge(next.frame, next.arrivedAtMs)
      this.#queue.shift()
      this.#queuedBytes -= next.frame.length
      if (this.#source.isPaused() && this.#queuedBytes <= queuedBytesMax) this.#source.resume()
      if (verdict !== 'drop') await this.#write(verdict ?? next.frame)
    }
    this.#running = undefined
  }

  async #write(frame: Buffer): Promise<void> {
    if (this.#sink.destroyed) return
    const length = Buffer.alloc(lengthBytes)
    length.writeInt32BE(frame.length)
    this.#sink.write(length)
    this.delivered++
    if (this.#sink.write(frame)) return
    await new Promise<void>((resolve) => {
      this.#sink.once('drain', resolve)
      this.#sink.once('close', resolve)
    })
  }
}
