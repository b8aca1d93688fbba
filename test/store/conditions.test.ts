import { expect, test } from 'bun:test'
import { ShutdownNotice } from '../../lib/store-protocol/shutdown-notice.ts'
import type { PartitionStatus, StoreState } from '../../lib/store-protocol/status.ts'
import { type ConditionInput, conditionsOf, reasonsOf } from '../../lib/store/conditions.ts'

const ready: ConditionInput = {
  state: 'running',
  readyWhen: 'caught-up',
  caughtUp: true,
  fenced: new Map(),
  contested: new Map(),
  halted: undefined,
  failure: undefined,
}

/** Names and reasons of the conditions that do not hold. */
function unmet(input: Partial<ConditionInput>): string[] {
  return conditionsOf({ ...ready, ...input })
    .filter(({ ok }) => !ok)
    .map(({ name, reason }) => `${name}: ${reason}`)
}

test('every condition holds, without a reason, when the store runs and has caught up', () => {
  expect(conditionsOf(ready)).toEqual(
    (['not_failed', 'not_stopping', 'recovered', 'caught_up', 'not_fenced', 'not_contested', 'memory'] as const).map(
      (name) => ({ name, ok: true }),
    ),
  )
})

test.each<[StoreState, string[]]>([
  ['starting', ['recovered: the store is starting']],
  ['recovering', ['recovered: the store is recovering']],
  ['running', []],
  ['stopping', ['not_stopping: the store is stopping']],
  ['failed', ['not_failed: the store has failed', 'recovered: the store is failed']],
])('conditions say what is missing when the store is %s', (state, expected) => {
  expect(unmet({ state })).toEqual(expected)
})

test('a store that recovers, or has not caught up, names the partitions that it waits for', () => {
  const trouble = 'source consumer: Looking up an offset: LEADER_NOT_AVAILABLE (partition 3, for 12 s, still retrying)'
  expect(unmet({ state: 'recovering', trouble })).toEqual([`recovered: the store is recovering; ${trouble}`])
  const behind = 'caught_up: the end that the source had at start is not reached yet'
  expect(unmet({ caughtUp: false, trouble })).toEqual([`${behind}; ${trouble}`])
  expect(unmet({ state: 'recovering', caughtUp: false, trouble })).toEqual([
    `recovered: the store is recovering; ${trouble}`,
    behind,
  ])
  expect(unmet({ trouble })).toEqual([])
})

test('conditions give the reason when the store has failed', () => {
  expect(unmet({ state: 'failed', failure: 'topics do not fit' })[0]).toBe('not_failed: topics do not fit')
})

test('a store that has not caught up is ready only when READY_WHEN=recovered', () => {
  expect(unmet({ caughtUp: false })).toEqual(['caught_up: the end that the source had at start is not reached yet'])
  expect(unmet({ caughtUp: false, readyWhen: 'recovered' })).toEqual([])
})

test('a fenced store is not ready and says which partitions were taken', () => {
  const fenced = new Map([
    [1, 'partition 1 was taken'],
    [4, 'partition 4 was taken'],
  ])
  expect(unmet({ fenced })).toEqual(['not_fenced: partition 1 was taken (the same for partition 4)'])
})

test('reasons that differ are all shown, and partitions of equal ones up to twenty', () => {
  const halted = new Map(
    Array.from({ length: 30 }, (_, partition) => [partition, `partition ${partition} has no schema`]),
  )
  halted.set(30, 'partition 30 has no key')
  const others = Array.from({ length: 20 }, (_, index) => index + 1).join(', ')
  const alike = `partition 0 has no schema (the same for partitions ${others} and 9 others)`
  expect(unmet({ halted })).toEqual([`not_halted: ${alike} · partition 30 has no key`])
})

test('a partition whose state is known before the reason for it has a default reason at once, and its own reason later', () => {
  const details = [
    { partition: 0, state: 'running' } as PartitionStatus,
    { partition: 1, state: 'halted' } as PartitionStatus,
  ]
  expect([...reasonsOf('halted', details, new Map())]).toEqual([
    [1, 'partition 1 is halted; the reason is not known yet'],
  ])
  expect([...reasonsOf('halted', details, new Map([[1, 'it has no key']]))]).toEqual([[1, 'it has no key']])
  expect([...reasonsOf('fenced', details, new Map([[3, 'taken']]))]).toEqual([[3, 'taken']])
})

test('a store is not ready while the source of a partition is read again', () => {
  expect(unmet({ rebuilding: new Map([[1, 'the topic was recreated']]) })).toEqual([
    'not_rebuilding: the topic was recreated',
  ])
  expect(unmet({ rebuilding: new Map() })).toEqual([])
})

test('a store whose memory is full says so, and is ready with what it has', () => {
  const full = 'memory is full: 3 entries'
  expect(unmet({ caughtUp: false, full })).toEqual([])
  expect(conditionsOf({ ...ready, full })).toContainEqual({ name: 'memory', ok: true, reason: full })
})

test('a process that stops soon is not ready, and says for how long it answers', () => {
  const buffer = ShutdownNotice.buffer()
  expect(new ShutdownNotice(buffer).reason).toBeUndefined()
  new ShutdownNotice(buffer).give(10)
  const leaving = new ShutdownNotice(buffer).reason
  expect(leaving).toMatch(/answers for (10|9) s more/)
  expect(unmet({ leaving })).toEqual([`not_stopping: ${leaving}`])
})
