/** Tracking as one client has chosen it (CLIENT TRACKING), and its choice for the next command (CLIENT CACHING). */

export interface TrackingMode {
  /** Follows prefixes, whether or not it has read the keys. */
  readonly isBroadcast: boolean
  /** Only keys of commands after CLIENT CACHING YES. */
  readonly isOptIn: boolean
  /** All but those of commands after CLIENT CACHING NO. */
  readonly isOptOut: boolean
  /** Changes nothing here, where clients do not write. */
  readonly isNoLoop: boolean
}

export class ClientTracking {
  readonly mode: TrackingMode
  readonly prefixes: readonly string[]
  #choice: 'none' | 'next command' | 'this command' = 'none'

  constructor(mode: TrackingMode, prefixes: readonly string[]) {
    this.mode = mode
    this.prefixes = prefixes
  }

  /** CLIENT CACHING YES or NO. */
  choose(): void {
    this.#choice = 'next command'
  }

  get hasChosen(): boolean {
    return this.#choice !== 'none'
  }

  /** The keys that the command reads are to be remembered. */
  get isRemembering(): boolean {
    const { isBroadcast, isOptIn, isOptOut } = this.mode
    if (isBroadcast) return false
    const isChosen = this.#choice === 'this command'
    return isOptIn ? isChosen : !isOptOut || !isChosen
  }

  /** To be called before each command. @param isClient it is a CLIENT command, to which a choice does not apply */
  commandBegins(isClient: boolean): void {
    if (this.#choice === 'this command') this.#choice = 'none'
    else if (this.#choice === 'next command' && !isClient) this.#choice = 'this command'
  }
}
