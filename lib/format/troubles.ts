/**
 * Problems that make the codecs of this thread wait, as sentences. Code that asks other services adds its problems
 * here, and a store shows them in its status.
 */

const sources = new Set<() => readonly string[]>()

export function addTroubles(source: () => readonly string[]): void {
  sources.add(source)
}

/** Empty if nothing waits for longer than one request takes. */
export function formatTroubles(): string[] {
  return [...sources].flatMap((source) => source())
}
