/** Maximum number of readers outside the pool of a store. */
export const pinnedReadersMax = 64
