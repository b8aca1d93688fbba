/** Names of the files of a partition. Numbers are generations: of the snapshot that made the file. */
import { unfinishedSuffix } from './disk.ts'

export const lockName = 'lock'
export const seedName = 'seed'
/** Begins the name of a file that was found damaged. One is kept in each directory. */
export const damagedPrefix = 'damaged-'

/** More than one a second for a million years. */
const generationMax = 10 ** 14

const name = /^(?:damaged-)?(log|index|manifest)-(\d{1,15})(?:\.new)?$/

export function logName(generation: number): string {
  return `log-${generation}`
}

export function indexName(generation: number): string {
  return `index-${generation}`
}

export function manifestName(generation: number): string {
  return `manifest-${generation}`
}

/** Returns the generations of the whole manifests among these names, latest first. */
export function manifestGenerations(names: readonly string[]): number[] {
  const whole = names.filter((each) => !each.startsWith(damagedPrefix) && !each.endsWith(unfinishedSuffix))
  return whole
    .flatMap((each) => (each.startsWith('manifest-') ? [generationOf(each)] : []))
    .filter((generation) => generation !== undefined)
    .toSorted((a, b) => b - a)
}

/**
 * Returns the highest generation in these names, 0 if there is none. One that no store reaches is another's: to continue it
 * would lead to names with more digits than the pattern has.
 */
export function highestGeneration(names: readonly string[]): number {
  const generations = names.map((each) => generationOf(each) ?? 0)
  return generations.reduce((highest, each) => (each > generationMax ? highest : Math.max(highest, each)), 0)
}

/** Returns whether a snapshot made a file of this name for its data. Files that others put there are left alone. */
export function isDataFile(each: string): boolean {
  return generationOf(each) !== undefined && !each.startsWith(damagedPrefix)
}

function generationOf(each: string): number | undefined {
  const digits = name.exec(each)?.[2]
  return digits === undefined ? undefined : Number(digits)
}
