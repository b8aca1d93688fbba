/** Which changes a wish leads to, and when. */
import { expect, test } from 'bun:test'
import { LatchkeyError } from '../../lib/errors.ts'
import type { Primaries } from '../../lib/store-thread/primaries.ts'
import type { Replicas } from '../../lib/store-thread/replicas.ts'
import { RoleChanges } from '../../lib/store-thread/role-changes.ts'
import type { StoreContext } from '../../lib/store-thread/store-context.ts'

function start(primaries: number[], replicas: number[]) {
  const roles = { primaries, replicas, notices: [] }
  const done: string[] = []
  const pending: PromiseWithResolvers<void>[] = []
  const failures: unknown[] = []
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
      for (const partition of partitions) move(partition, roles.replicas, roles.primaries)
    },
    release: async (partition: number) => {
      await begin(`release ${partition}`)
      move(partition, roles.primaries, roles.replicas)
    },
  } as unknown as Primaries
  const handover = { isWarm: () => true, expect: () => {}, cancel: () => done.push('cancel'), forget: () => {} }
  const replica = { handover, adopt: () => Promise.resolve() } as unknown as Replicas
  const clients = { changelog: { signal: new AbortController().signal }, source: {} }
  const failed = (error: unknown) => failures.push(error)
  const context = { roles, clients, failed, post: () => {} } as unknown as StoreContext
  const changes = new RoleChanges(context, primary, replica)
  const next = async (error?: Error) => {
    const change = pending.shift()!
    if (error === undefined) change.resolve()
    else change.reject(error)
    for (let turn = 0; turn < 5; turn++) await new Promise(setImmediate)
  }
  return { changes, done, next, failures }
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
