/** Which changes a wish leads to, and when. */
import { expect, test } from 'bun:test'
import { LatchkeyError } from '../../lib/errors.ts'
import { setPartitionState } from '../../lib/store-protocol/partition-state.ts'
import { Stats } from '../../lib/store-protocol/stats.ts'
import type { Primaries } from '../../lib/store-thread/primaries.ts'
import type { Replicas } from '../../lib/store-thread/replicas.ts'
import { RoleChanges } from '../../lib/store-thread/role-changes.ts'
import type { StoreContext } from '../../lib/store-thread/store-context.ts'
import { memoryStandIn } from '../support/store-thread/stand-ins.ts'
import { until } from '../support/until.ts'

async function settled(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await new Promise(setImmediate)
}

function start(primaries: number[], replicas: number[], elastic?: { lingerMs: number }) {
  const roles = { primaries, replicas, notices: [] }
  const done: string[] = []
  const pending: PromiseWithResolvers<void>[] = []
  const failures: unknown[] = []
  /** Partitions whose marker is not read with those of the others, once. */
  const late = new Set<number>()
  const cold = new Set<number>()
  const begin = (what: string) => {
    done.push(what)
    const change = Promise.withResolvers<void>()
    pending.push(change)
    return change.promise
  }
  const move = (partition: number, from: number[], to: number[]) => {
    from.splice(from.indexOf(partition), 1)
    to.push(partition)
  }
  const primary = {
    take: async (partitions: readonly number[]) => {
      await begin(`take ${partitions.join(' ')}`)
      const read = partitions.filter((partition) => !late.delete(partition))
      for (const partition of read) move(partition, roles.replicas, roles.primaries)
    },
    release: async (partition: number) => {
      await begin(`release ${partition}`)
      move(partition, roles.primaries, roles.replicas)
    },
  } as unknown as Primaries
  const handover = {
    isWarm: (partition: number) => !cold.has(partition),
    expect: () => {},
    cancel: (partitions: readonly number[]) => void (partitions.length > 0 && done.push('cancel')),
    forget: () => {},
  }
  let filled = () => {}
  const replica = {
    handover,
    adopt: () => Promise.resolve(),
    onFilled: (listener: () => void) => (filled = listener),
    add: (partition: number, entries: number) => {
      expect(entries).toBe(7)
      roles.replicas.push(partition)
      setPartitionState(stats, partition, 'recovering')
      return begin(`add ${partition}`)
    },
    drop: async (partition: number) => {
      await begin(`drop ${partition}`)
      roles.replicas.splice(roles.replicas.indexOf(partition), 1)
    },
  } as unknown as Replicas
  const committed = { offset: 0, metadata: 'latchkey/1 entries=7' }
  const source = { retryForever: async () => new Map([0, 1, 2, 3, 4, 5].map((partition) => [partition, committed])) }
  const clients = { changelog: { signal: new AbortController().signal }, source }
  const failed = (error: unknown) => failures.push(error)
  const stats = new Stats([0, 1, 2, 3, 4, 5])
  for (const partition of stats.layout) setPartitionState(stats, partition, 'running')
  const { memory, hold: holdMemory } = memoryStandIn()
  const context = {
    config: { elastic },
    roles,
    clients,
    failed,
    stats,
    memory,
    post: () => {},
  } as unknown as StoreContext
  const changes = new RoleChanges(context, primary, replica)
  const next = async (error?: Error) => {
    const change = pending.shift()!
    if (error === undefined) change.resolve()
    else change.reject(error)
    await settled()
  }
  const fill = (partition: number) => {
    setPartitionState(stats, partition, 'running')
    filled()
  }
  return { changes, done, next, failures, fill, holdMemory, roles, late, cold }
}

test('a wish is fulfilled once the store runs, replicas together', () => {
  const { changes, done } = start([0], [1, 2, 3])
  changes.want({ primaries: [1, 2], replicas: [0, 3] })
  expect(done).toEqual([])
  changes.begin()
  expect(done).toEqual(['release 0', 'take 1 2'])
})

test('a partition has one change at a time, and the last wish counts', async () => {
  const { changes, done, next } = start([0], [])
  changes.begin()
  changes.want({ primaries: [], replicas: [0] })
  changes.want({ primaries: [0], replicas: [] })
  changes.want({ primaries: [], replicas: [0] })
  changes.want({ primaries: [0], replicas: [] })
  expect(done).toEqual(['release 0'])
  await next()
  expect(done).toEqual(['release 0', 'take 0'])
  await next()
  expect(done).toHaveLength(2)
})

test('a partition that is wished for in both roles is a primary, and stays one', async () => {
  const { changes, done, next } = start([], [0])
  changes.begin()
  changes.want({ primaries: [0], replicas: [0] })
  await next()
  expect(done).toEqual(['take 0'])
})

test('a partition that another instance has taken is tried again with the next wish', async () => {
  const { changes, done, next, failures } = start([], [0])
  changes.begin()
  changes.want({ primaries: [0], replicas: [] })
  await next(new LatchkeyError('fenced', 'taken'))
  expect([done, failures]).toEqual([['take 0', 'cancel'], []])
  changes.want({ primaries: [0], replicas: [] })
  expect(done).toEqual(['take 0', 'cancel', 'take 0'])
})

test('a replica becomes a primary once it is filled, and not while memory is full', async () => {
  const { changes, done, next, fill, holdMemory } = start([], [], { lingerMs: 1 })
  changes.begin()
  changes.want({ primaries: [2], replicas: [] })
  await settled()
  expect(done).toEqual(['add 2'])
  await next()
  expect(done).toEqual(['add 2'])
  holdMemory()
  fill(2)
  expect(done).toEqual(['add 2'])
  holdMemory(false)
  expect(done).toEqual(['add 2', 'take 2'])
})

test('partitions are filled some at a time, the primaries first', async () => {
  const { changes, done, next, fill } = start([], [], { lingerMs: 1 })
  changes.begin()
  changes.want({ primaries: [4, 5], replicas: [0, 1, 2, 3] })
  // Those that begin count, too.
  changes.want({ primaries: [4, 5], replicas: [0, 1, 2, 3] })
  await settled()
  expect(done).toEqual(['add 4', 'add 5', 'add 0', 'add 1'])
  for (let add = 0; add < 4; add++) await next()
  expect(done).toHaveLength(4)
  fill(0)
  await settled()
  expect(done.slice(4)).toEqual(['add 2'])
})

test('a partition that is not wanted any more is given up, stays for a time, and leaves', async () => {
  const { changes, done, next, roles } = start([0], [1], { lingerMs: 1 })
  changes.begin()
  changes.want({ primaries: [], replicas: [1] })
  expect(done).toEqual(['release 0'])
  await next()
  await until('it leaves', () => done.length > 1)
  expect(done).toEqual(['release 0', 'drop 0'])
  // It is wanted again while it leaves.
  changes.want({ primaries: [], replicas: [0, 1] })
  expect(done).toHaveLength(2)
  await next()
  expect(done.slice(2)).toEqual(['add 0'])
  expect(roles.replicas).toEqual([1, 0])
})

test('a partition of neither list keeps its role where partitions do not come and go', async () => {
  const { changes, done } = start([0], [1])
  changes.begin()
  changes.want({ primaries: [2], replicas: [] })
  await new Promise(setImmediate)
  expect(done).toEqual([])
})

test('partitions do not wait for one whose marker is late, nor for one that is read from the start', async () => {
  const { changes, done, next, late, cold, roles } = start([], [0, 1, 2])
  late.add(1)
  cold.add(2)
  changes.begin()
  changes.want({ primaries: [0, 1, 2], replicas: [] })
  expect(done).toEqual(['take 0 1', 'take 2'])
  await next()
  expect([done.slice(2), roles.primaries]).toEqual([['cancel', 'take 1'], [0]])
  await next()
  await next()
  expect(roles.primaries).toEqual([0, 2, 1])
})
