/**
 * Listeners at one port. Bun cannot change the certificate of a listener, so a renewal opens a second
 * listener at the same port. New connections go to the second one alone. The former one stays for a while, for
 * connections that have begun. Connections outlive their listener.
 */
import type { SocketHandler, TCPSocketListener } from 'bun'
import type { TlsPair } from '../config/tls-pair.ts'
import { directNewConnections, ignoreNewConnectionsOf } from '../linux/sockets.ts'

/** Time to accept connections that have begun. */
const formerMs = 10_000
/** Shorter than the second after which an ignored client tries again. */
const ignoringMs = 500

export interface PortOptions {
  bind: string
  /** 0 selects a free port. */
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

  /**
   * Only with TLS: new connections get this certificate; open connections keep theirs.
   * @throws what Bun.listen throws; then nothing has changed
   */
  renewTls(tls: TlsPair): void {
    if (this.#isStopped || this.#options.tls === undefined) return
    this.#endFormer()
    const former = this.#listener
    this.#listener = this.#listen(this.port, tls)
    // With several threads the kernel distributes connections. It is not known which socket belongs to which thread,
    // but the former one of this thread is known.
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
      // Bun 1.4.5 supports reusePort; its declarations lack it.
      reusePort: this.#options.isShared || tls !== undefined,
      // A client that sends nothing more may still wait for responses.
      allowHalfOpen: true,
      ...(tls && { tls: { cert: tls.cert, key: tls.key } }),
      socket: this.#handler,
    }
    return Bun.listen<Data>(options)
  }
}

/** Bun 1.4.5 has `fd`; its declarations lack it. Returns -1, which is not a descriptor, if it is missing. */
function descriptorOf(listener: object): number {
  return 'fd' in listener && typeof listener.fd === 'number' ? listener.fd : -1
}
