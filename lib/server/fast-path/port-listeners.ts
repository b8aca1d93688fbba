/**
 * Who listens at the lane's port. Bun cannot change the certificate of a listener, so that a renewal is a second one at the same port: new connections go to it alone,
 * and the one before stays a while for those that have begun. Connections outlive their listener.
 */
import type { SocketHandler, TCPSocketListener } from 'bun'
import type { TlsPair } from '../../config/tls-pair.ts'
import { directNewConnections, ignoreNewConnectionsOf } from '../../linux/sockets.ts'

/** In which a connection that has begun is accepted. */
const formerMs = 10_000
/** Before a client that was ignored tries again, a second later. */
const ignoringMs = 500

export interface PortOptions {
  bind: string
  /** 0 takes any that is free. */
  port: number
  /** Absent for plain HTTP. */
  tls?: TlsPair | undefined
  /** Other threads listen at the same port, or will. */
  isShared: boolean
}

export class PortListeners<Data> {
  readonly port: number
  readonly #options: PortOptions
  readonly #handler: SocketHandler<Data>
  #listener: TCPSocketListener<Data>
  #former: { listener: TCPSocketListener<Data>; timer: Timer } | undefined
  #isStopped = false

  /** @throws what Bun.listen throws */
  constructor(options: PortOptions, handler: SocketHandler<Data>) {
    this.#options = options
    this.#handler = handler
    this.#listener = this.#listen(options.port, options.tls)
    this.port = this.#listener.port
  }

  /** Only with TLS: new connections get this certificate, those that are open keep theirs. @throws what Bun.listen throws, nothing being changed then */
  renewTls(tls: TlsPair): void {
    if (this.#isStopped || this.#options.tls === undefined) return
    this.#endFormer()
    const former = this.#listener
    this.#listener = this.#listen(this.port, tls)
    // Among several threads the kernel shares them out: which socket is whose cannot be told, but which one is the former.
    const isDirected = !this.#options.isShared && directNewConnections(this.port, 1)
    if (!isDirected) ignoreNewConnectionsOf(descriptorOf(former))
    const timer = setTimeout(() => this.#endFormer(), isDirected ? formerMs : ignoringMs)
    timer.unref()
    this.#former = { listener: former, timer }
  }

  stop(): void {
    this.#isStopped = true
    this.#endFormer()
    this.#listener.stop()
  }

  #endFormer(): void {
    clearTimeout(this.#former?.timer)
    this.#former?.listener.stop()
    this.#former = undefined
  }

  #listen(port: number, tls: TlsPair | undefined): TCPSocketListener<Data> {
    const options = {
      hostname: this.#options.bind,
      port,
      // Known to Bun 1.4.5, not to its declarations.
      reusePort: this.#options.isShared || tls !== undefined,
      // Who sends no more may still wait for answers.
      allowHalfOpen: true,
      ...(tls && { tls: { cert: tls.cert, key: tls.key } }),
      socket: this.#handler,
    }
    return Bun.listen<Data>(options)
  }
}

/** Known to Bun 1.4.5, not to its declarations; -1, which is none, where it is not. */
function descriptorOf(listener: object): number {
  return 'fd' in listener && typeof listener.fd === 'number' ? listener.fd : -1
}
