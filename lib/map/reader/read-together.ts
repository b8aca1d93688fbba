/**
 * Reads several maps as they were at one instant. Each map has a counter of its exchanges. All maps are entered, then
 * all counters are loaded again until none has moved: between these two rounds every map had the side published that
 * its reader is inside of. A counter moves at most once while its reader is inside, because the writer then waits for
 * the reader. So a map does not have to be left and entered again, and there are at most as many rounds as maps, plus
 * one. DESIGN.md explains the races.
 */
/** A reader of one map, as far as entering is concerned. */
export interface EnteringReader {
  enter(): void
  turn(): boolean
  leave(): void
  readonly exchanges: number
}

/**
 * Returns what `read` returns, called while all readers are inside and all maps show one instant.
 * @param read must be synchronous. Receives the sum of the exchanges, which rises from instant to instant
 */
export function readTogether<T>(readers: readonly EnteringReader[], read: (exchanges: number) => T): T {
  let entered = 0
  try {
    for (const reader of readers) {
      reader.enter()
      entered++
    }
    if (entered > 1) while (anyTurns(readers));
    return read(readers.reduce((sum, { exchanges }) => sum + exchanges, 0))
  } finally {
    for (let i = 0; i < entered; i++) readers[i]!.leave()
  }
}

function anyTurns(readers: readonly EnteringReader[]): boolean {
  let turned = false
  for (const reader of readers) if (reader.turn()) turned = true
  return turned
}
