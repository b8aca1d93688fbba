/** Connections with a TLS handshake in progress. Each has limited time for it, however slowly its bytes arrive. */
import type { Socket } from 'bun'

type HandshakeSocket = Pick<Socket<unknown>, 'terminate'>

export interface Handshake {
  readonly begunAt: number
  /** For the log: a socket that closes during its handshake no longer has its address. */
  readonly client: string | undefined
}

export class Handshakes {
  /** In the order in which they began. */
  readonly #handshakes = new Map<HandshakeSocket, Handshake>()

  get size(): number {
    return this.#handshakes.size
  }

  begin(socket: HandshakeSocket, ticks: number, client?: string): void {
    this.#handshakes.set(socket, { begunAt: ticks, client })
  }

  /** @returns undefined if no handshake was in progress */
  end(socket: HandshakeSocket): Handshake | undefined {
    const handshake = this.#handshakes.get(socket)
    this.#handshakes.delete(socket)
    return handshake
  }

  /** Terminates handshakes that began more than `ticksMax` ago. */
  expire(ticks: number, ticksMax: number): void {
    for (const [socket, { begunAt }] of this.#handshakes) {
      if (ticks - begunAt <= ticksMax) return
      socket.terminate()
    }
  }

  destroy(): void {
    for (const socket of this.#handshakes.keys()) socket.terminate()
  }
}
