/** A Unix datagram socket that receives, as a service manager has one. */
import { dlopen, ptr } from 'bun:ffi'

const [familyUnix, datagram, dontWait] = [1, 2, 0x40]
const messageBytesMax = 4_096

const libc = dlopen('libc.so.6', {
  socket: { args: ['i32', 'i32', 'i32'], returns: 'i32' },
  bind: { args: ['i32', 'ptr', 'u32'], returns: 'i32' },
  recv: { args: ['i32', 'ptr', 'u64', 'i32'], returns: 'i64' },
  close: { args: ['i32'], returns: 'i32' },
}).symbols

export class DatagramSocket {
  readonly #descriptor: number
  readonly #messages: string[] = []

  /** @param path `@` begins an abstract address */
  constructor(path: string) {
    this.#descriptor = libc.socket(familyUnix, datagram, 0)
    const name = Buffer.from(path.replace(/^@/, '\0'))
    const address = new Uint8Array(2 + name.length + (path.startsWith('@') ? 0 : 1))
    address[0] = familyUnix
    address.set(name, 2)
    const result = libc.bind(this.#descriptor, ptr(address), address.length)
    if (result !== 0) throw new Error(`bind ${path}: ${result}`)
  }

  /** All messages so far. */
  received(): string[] {
    const buffer = new Uint8Array(messageBytesMax)
    for (;;) {
      const length = Number(libc.recv(this.#descriptor, ptr(buffer), BigInt(buffer.length), dontWait))
      if (length < 0) return this.#messages
      this.#messages.push(Buffer.from(buffer.subarray(0, length)).toString())
    }
  }

  close(): void {
    libc.close(this.#descriptor)
  }
}
