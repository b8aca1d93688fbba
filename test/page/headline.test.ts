import { expect, test } from 'bun:test'
import type { StatusEvent } from '../../lib/http/status-events/status-event.ts'
import { headlineOf, toneOf } from '../../lib/page/headline.ts'

const running = { state: 'running', isCaughtUp: true, isReady: true, progress: null, partitions: [] }
const recovery = { phase: 'rebuilding', records: 1, bytes: 1, recordsPerSecond: 1, percent: 1, remainingSeconds: null }
const partition = (state: string, reason?: string) => [{ state, reason }, { state: 'running' }]

test.each([
  [{}, 'running', 'good'],
  [{ state: 'starting' }, 'starting', 'busy'],
  [{ state: 'recovering' }, 'recovering', 'busy'],
  [{ state: 'recovering', progress: recovery }, 'rebuilding', 'warn'],
  [{ state: 'failed', partitions: partition('halted') }, 'failed', 'bad'],
  [{ state: 'stopping' }, 'stopping', 'warn'],
  [{ partitions: partition('halted') }, 'halted', 'bad'],
  [{ partitions: partition('fenced'), reason: 'no broker' }, 'fenced', 'bad'],
  [{ partitions: partition('full') }, 'full', 'warn'],
  [{ partitions: partition('recovering') }, 'running', 'good'],
  [{ partitions: partition('running', 'no answer') }, 'waiting for a broker', 'warn'],
  [{ reason: 'no broker answers' }, 'waiting for a broker', 'warn'],
  [{ isCaughtUp: false, isReady: false }, 'catching-up', 'busy'],
  [{ isReady: false }, 'not ready', 'warn'],
])('%j is %s', (changes, word, tone) => {
  const headline = headlineOf({ ...running, ...changes } as unknown as StatusEvent)
  expect([headline, toneOf(headline)]).toEqual([word, tone as never])
})
