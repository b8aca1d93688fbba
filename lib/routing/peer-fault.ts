/** Why a peer did not answer. Plain data: it is the usual case that some peer does not. */

export interface PeerFault {
  /**
   * - `refused`: nothing listens at its address, so its process has ended.
   * - `host`: it refuses the name by which it is reached.
   * - `elsewhere`: another member answers at its URL.
   * - `joining`: it has no place in the group yet.
   * - `busy`: too much waits for it here. It was not asked.
   * - `unreachable`: all others.
   */
  readonly kind: 'refused' | 'host' | 'elsewhere' | 'joining' | 'busy' | 'unreachable'
  /** For messages: what it said, or what happened instead. */
  readonly said: string
  /** The connection ended before anything of an answer came. */
  readonly isUnanswered?: boolean
  /** It may know the former token only. */
  readonly isFormer?: boolean
}

export function isFault<T extends object>(outcome: T | PeerFault): outcome is PeerFault {
  return 'said' in outcome
}

const shownLengthMax = 200

/** Returns text from a peer for a message: short, without control characters. */
export function shown(text: string, lengthMax = shownLengthMax): string {
  const printable = text.replaceAll(/\p{C}/gu, '?')
  return printable.length > lengthMax ? `${printable.slice(0, lengthMax)}…` : printable
}
