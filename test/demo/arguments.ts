import { nearName } from '../../lib/text/did-you-mean.ts'

export interface DemoArguments {
  isCluster: boolean
  isElastic: boolean
  /** Whether to try everything itself. */
  once: boolean
  /** Why the demo is not to run. */
  fault?: string
}

const flags = ['--cluster', '--elastic', '--once']

export function readArguments(words: readonly string[]): DemoArguments {
  const read = {
    isCluster: words.includes('--cluster'),
    isElastic: words.includes('--elastic'),
    once: words.includes('--once'),
  }
  if (read.isCluster && read.isElastic) {
    return { ...read, fault: 'Reading the command line of the demo: --cluster and --elastic are two demos. Give one' }
  }
  const unknown = words.find((word) => !flags.includes(word))
  if (unknown === undefined) return read
  const near = nearName(unknown, flags)
  const advice = near ? `Did you mean ${near}?` : `It takes ${flags.slice(0, -1).join(', ')} and ${flags.at(-1)}`
  return { ...read, fault: `Reading the command line of the demo: ${JSON.stringify(unknown)} is not a flag. ${advice}` }
}
