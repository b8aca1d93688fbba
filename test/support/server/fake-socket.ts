/** A client's socket as the fast path sees it: it takes as much at a time as a test says. */
import type { Socket } from 'bun'

export class FakeSocket {
  remoteAddress = '127.0.0.1'
  remotePort = 50_000
  localAddress = '127.0.0.1'
  localPort = 6_379
  readonly taken: Uint8Array[] = []
  readonly calls: string[] = []
  writes = 0
  isPaused = false
  /** In bytes; below zero it is closed. */
  room: number

  constructor(room: number) {
    this.room = room
  }

  write(bytes: Uint8Array, from: number, length: number): number {
    this.writes++
    if (this.room < 0) return -1
    const taken = new Uint8Array(bytes.subarray(from, from + Math.min(length, this.room)))
    this.taken.push(taken)
    this.room -= taken.length
    return taken.length
  }

  pause(): void {
    this.isPaused = true
  }

  resume(): void {
    this.isPaused = false
  }

  end(): void {
    this.calls.push('end')
  }

  terminate(): void {
    this.calls.push('terminate')
  }

  get text(): string {
    return Buffer.concat(this.taken).toString('latin1')
  }

  /** As Bun's socket, of which the fast path needs no more. */
  get asSocket(): Socket<unknown> {
    return this as unknown as Socket<unknown>
  }
}
