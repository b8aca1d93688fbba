/** For --check: whether the schema registries that the codecs of this thread ask would answer. Those who ask them are looked for here. */

/** @returns sentences @throws Error where a registry does not answer as one */
type RegistryCheck = () => Promise<readonly string[]>

const checks = new Set<RegistryCheck>()

export function addRegistryCheck(check: RegistryCheck): void {
  checks.add(check)
}

/** Asks each registry once. Empty where there is none. @throws Error that names the first one that does not answer as one */
export async function checkRegistries(): Promise<string[]> {
  const found = await Promise.all([...checks].map((check) => check()))
  return found.flat()
}
