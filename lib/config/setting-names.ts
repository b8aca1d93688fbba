/**
 * All names that a flag, the environment or an env file can set: the settings, and for secrets also the settings that
 * name a file.
 */
import { nearName } from '../text/did-you-mean.ts'
import { fileVariable } from './secrets.ts'
import { flagOf, metadataOf, settingKeys } from './settings.ts'

export interface Given {
  variable: string
  isSwitch?: true
}

const givens: Given[] = settingKeys.flatMap((key): Given[] => {
  const metadata = metadataOf(key)
  return metadata.isSecret ? [metadata, { variable: fileVariable(metadata.variable) }] : [metadata]
})

export const variables: readonly string[] = givens.map(({ variable }) => variable)

export const settingFlags: ReadonlyMap<string, Given> = new Map(givens.map((given) => [flagOf(given.variable), given]))

/** @param flag of a setting, without `--` */
export function variableOf(flag: string): string {
  return settingFlags.get(flag)!.variable
}

/** Returns names that are not settings but similar to one, each with that setting. */
export function nearVariables(names: Iterable<string>): { name: string; near: string }[] {
  const found: { name: string; near: string }[] = []
  for (const name of names) {
    if (variables.includes(name)) continue
    const near = nearName(name, variables)
    if (near) found.push({ name, near })
  }
  return found
}
