/** A LeaderLoops whose loops are the test. */
import { LatchkeyError } from '../../../../lib/errors.ts'
import { Backoff } from '../../../../lib/kafka/backoff.ts'
import { LeaderLoops } from '../../../../lib/kafka/leader-loops.ts'
import { RetryPolicy } from '../../../../lib/kafka/retry-policy.ts'
import { soon } from '../../until.ts'
import type { FakeClient } from './fake-client.ts'

const open: { stop: () => void }[] = []
/** For afterEach: ends what was started. */
export function stopServing(): void {
  for (const one of open.splice(0)) one.stop()
}

/** For one that was not started here. */
export function stopLater(one: { stop: () => void }): void {
  open.push(one)
}

/** What a loop was given to serve; it runs until the test ends it. */
export interface Served {
  node: number
  partitions: number[]
  end: (error?: Error) => void
}

export function start(fake: FakeClient, partitions: readonly number[]) {
  const served: Served[] = []
  const waiting: ((one: Served) => void)[] = []
  const byLeader: LeaderLoops = new LeaderLoops(fake.client, 'topic', (node) => {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const end = (error?: Error) => (error ? reject(error) : resolve())
    const one = { node, partitions: byLeader.partitionsOf(node), end }
    byLeader.signal.addEventListener('abort', () => resolve())
    const next = waiting.shift()
    if (next) next(one)
    else served.push(one)
    return promise
  })
  for (const partition of partitions) byLeader.add(partition)
  open.push(byLeader)
  const next = async () => served.shift() ?? soon('a loop', new Promise<Served>((resolve) => waiting.push(resolve)))
  return { byLeader, next, running: byLeader.run() }
}

export function moved(): LatchkeyError {
  return new LatchkeyError('broker_error', 'the broker answered NOT_LEADER_OR_FOLLOWER')
}

/** Longer than any test. */
export function endless(): RetryPolicy {
  return new RetryPolicy(new Backoff({ firstMs: 3_600_000, maxMs: 3_600_000 }))
}

/** Everything that does not wait for a timer has happened by then. */
export async function turns(): Promise<void> {
  for (let turn = 0; turn < 50; turn++) await new Promise(setImmediate)
}
