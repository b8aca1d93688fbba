/** Checks the Host of the requests of one connection. */
import type { Socket } from 'bun'
import { isLoopback } from '../../text/loopback.ts'
import type { HostRule } from '../host-rule.ts'
import type { PlainHead } from './plain-request.ts'

export class HostCheck {
  readonly #rule: HostRule | undefined
  readonly #socket: Pick<Socket<unknown>, 'remoteAddress'>
  /** Last head whose Host was admitted. */
  #admitted: PlainHead | undefined

  constructor(rule: HostRule | undefined, socket: Pick<Socket<unknown>, 'remoteAddress'>) {
    this.#rule = rule
    this.#socket = socket
  }

  /** The client is on this machine. */
  get isLocal(): boolean {
    return isLoopback(this.#socket.remoteAddress)
  }

  /** Checks the Host of the next request, also if its head is the same. */
  forget(): void {
    this.#admitted = undefined
  }

  /** Returns the refusal if the Host is not admitted. Equal heads are one object and are checked once. */
  refuse(head: PlainHead): Response | undefined {
    if (this.#rule === undefined || head === this.#admitted) return undefined
    const host = head.get('host')
    if ((this.#rule.isForAll || this.isLocal) && !this.#rule.admits(host)) return this.#rule.refusal(host)
    this.#admitted = head
    return undefined
  }
}
