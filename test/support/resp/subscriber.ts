/** A client that subscribes to a channel, and keeps what is published there. */
import { connect, type Socket } from 'node:net'
import { command, repliesIn } from './replies.ts'

export class Subscriber implements Disposable {
  readonly messages = new Set<string>()
  isEnded = false
  readonly #socket: Socket
  #rest: Uint8Array = new Uint8Array()

  constructor(port: number, channel: string) {
    this.#socket = connect(port, '127.0.0.1')
    this.#socket.on('data', (bytes: Buffer) => this.#received(bytes))
    this.#socket.on('close', () => (this.isEnded = true))
    this.#socket.on('error', () => {})
    this.#socket.write(command('SUBSCRIBE', channel))
  }

  [Symbol.dispose](): void {
    this.#socket.destroy()
  }

  #received(bytes: Uint8Array): void {
    const all = Buffer.concat([this.#rest, bytes])
    const { replies, rest } = repliesIn(all)
    this.#rest = all.subarray(all.length - rest)
    for (const reply of replies) {
      if (Array.isArray(reply) && reply[0] === 'message') this.messages.add(String(reply[2]))
    }
  }
}
