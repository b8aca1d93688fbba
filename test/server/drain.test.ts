import { expect, test } from 'bun:test'
import { drain, type Drainable } from '../../lib/server/drain.ts'
import { until } from '../support/until.ts'

/** A server that records its requests and answers them when a test lets it. */
function server(calls: string[]): Drainable & { answered(): void } {
  const answered = Promise.withResolvers<void>()
  return {
    answered: () => answered.resolve(),
    announceClose: () => void calls.push('announceClose'),
    async stop() {
      calls.push('stop')
      await answered.promise
      calls.push('stopped')
    },
    destroy: () => void calls.push('destroy'),
  }
}

test('the rest is terminated at the time limit, and not all is answered', async () => {
  const calls: string[] = []
  const drained = drain(0, [server(calls)], 1)
  await until('it is cut', () => calls.includes('destroy'))
  await drained
  expect(calls).toEqual(['announceClose', 'stop', 'destroy'])
})

test('nothing is terminated before all is answered', async () => {
  const calls: string[] = []
  const servers = [server(calls), server(calls)]
  const drained = drain(0, servers, 3_600_000)
  servers[0]!.answered()
  await until('one is answered', () => calls.includes('stopped'))
  expect(calls).not.toContain('destroy')
  servers[1]!.answered()
  await drained
  expect(calls).toEqual(['announceClose', 'announceClose', 'stop', 'stop', 'stopped', 'stopped', 'destroy', 'destroy'])
})
