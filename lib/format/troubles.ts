/** What keeps the codecs of this thread waiting, as sentences: those who ask elsewhere tell it, and a store shows it in its status. */

const sources = new Set<() => readonly string[]>()

export function addTroubles(source: () => readonly string[]): void {
  sources.add(source)
}

/** Empty where nothing waits for longer than one question takes. */
export function formatTroubles(): string[] {
  return [...sources].flatMap((source) => source())
}
