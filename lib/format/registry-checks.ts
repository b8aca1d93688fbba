/**
 * For --check: checks whether the schema registries of this thread's codecs respond. Clients of a registry add their
 * check here.
 */

/**
 * @returns sentences for the user
 * @throws Error if the registry does not respond like a registry
 */
type RegistryCheck = () => Promise<readonly string[]>

const checks = new Set<RegistryCheck>()

export function addRegistryCheck(check: RegistryCheck): void {
  checks.add(check)
}

/**
 * Checks each registry once. Empty if there is none.
 * @throws Error that names the first registry that does not respond like one
 */
export async function checkRegistries(): Promise<string[]> {
  const found = await Promise.all([...checks].map((check) => check()))
  return found.flat()
}
