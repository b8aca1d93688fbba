/** Maximum and default number of threads of one kind. */

export const threadsMax = 32

/**
 * Returns one thread for every four cores, from 1 to 8.
 * Broker, store threads and HTTP threads share the cores. Below eight cores a second thread of a kind takes as much
 * from the others as it adds.
 */
export function threadsDefault(coreCount: number): number {
  return Math.max(1, Math.min(8, Math.floor(coreCount / 4)))
}
