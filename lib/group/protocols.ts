/** Versions of what members send, the preferred one first. The coordinator chooses one that all members have. */
export const groupProtocols: readonly string[] = ['latchkey-1']
