/** How many threads of one kind there may be, and how many there are where nobody says. */

export const threadsMax = 32

/** Broker, store threads and HTTP threads share the cores: below eight a second thread of a kind takes from the others what it adds. */
export function threadsDefault(coreCount: number): number {
  return Math.max(1, Math.min(8, Math.floor(coreCount / 4)))
}
