import { nearName } from '../../lib/text/did-you-mean.ts'

export interface DemoArguments {
  isCluster: boolean
  /** Whether to try everything itself. */
  once: boolean
  /** Why the demo is not to run. */
  fault?: string
}

const flags = ['--cluster', '--once']

export function readArguments(words: readonly string[]): DemoArguments {
  const read = { isCluster: words.includes('--cluster'), once: words.includes('--once') }
  const unknown = words.find((word) => !flags.includes(word))
  if (unknown === undefined) return read
  const near = nearName(unknown, flags)
  const advice = near ? `Did you mean ${near}?` : `It takes ${flags.join(' and ')}`
  return { ...read, fault: `Reading the command line of the demo: ${JSON.stringify(unknown)} is not a flag. ${advice}` }
}
