/** Connections with a TLS handshake in progress. Each has limited time for it, however slowly its bytes arrive. */
import type { Socket } from 'bun'

export class Handshakes {
  /** In the order in which they began. */
  readonly #begunAt = new Map<Pick<Socket<unknown>, 'terminate'>, number>()

  get size(): number {
    return this.#begunAt.size
  }

  begin(socket: Pick<Socket<unknown>, 'terminate'>, ticks: number): void {
    this.#begunAt.set(socket, ticks)
  }

  /** @returns whether the handshake was in progress */
  end(socket: Pick<Socket<unknown>, 'terminate'>): boolean {
    return this.#begunAt.delete(socket)
  }

  /** Terminates handshakes that began more than `ticksMax` ago. */
  expire(ticks: number, ticksMax: number): void {
    for (const [socket, begunAt] of this.#begunAt) {
      if (ticks - begunAt <= ticksMax) return
      socket.terminate()
    }
  }

  destroy(): void {
    for (const socket of this.#begunAt.keys()) socket.terminate()
  }
}
