/** The state of a store in one word, for the head of the page: the worst of what holds. */
import type { StatusEvent } from '../http/status-events/status-event.ts'

export type Tone = 'good' | 'busy' | 'warn' | 'bad'

/** Of a partition that needs no attention. */
const calm = new Set<string>(['running', 'starting', 'recovering'])

export function headlineOf({ state, partitions, progress, isReady, isCaughtUp, reason }: StatusEvent): string {
  if (state !== 'running') return (state === 'recovering' && progress?.phase) || state
  // Those that need attention most come first.
  const worst = partitions.find((partition) => !calm.has(partition.state))
  if (worst) return worst.state
  if (reason || partitions[0]?.reason) return 'waiting for a broker'
  if (!isCaughtUp) return 'catching-up'
  return isReady ? 'running' : 'not ready'
}

const tones: Readonly<Record<string, Tone>> = {
  running: 'good',
  starting: 'busy',
  recovering: 'busy',
  'catching-up': 'busy',
  failed: 'bad',
  fenced: 'bad',
  halted: 'bad',
  'not connected': 'bad',
}

export function toneOf(word: string): Tone {
  return tones[word] ?? 'warn'
}
