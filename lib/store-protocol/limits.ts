/** Readers outside the pool that a store has at a time. */
export const keptReadersMax = 64
