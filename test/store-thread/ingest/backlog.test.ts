import { afterEach, expect, test } from 'bun:test'
import { Backlog, backlogBytesMax, totalBytesMax } from '../../../lib/store-thread/ingest/backlog.ts'
import { soon } from '../../support/until.ts'

const open: Backlog[] = []
afterEach(() => {
  for (const one of open.splice(0)) one.stop()
})

function start(count: number) {
  const clock = { ms: 0 }
  const sharing = { count }
  const events: string[] = []
  const paused = (partition: number, isPaused: boolean) =>
    void events.push(`${isPaused ? 'pause' : 'resume'} ${partition}`)
  const backlog = new Backlog(
    () => sharing.count,
    paused,
    () => clock.ms,
  )
  open.push(backlog)
  return { backlog, clock, events, sharing }
}

async function isSettled(promise: Promise<void> | undefined): Promise<boolean> {
  const unsettled = Symbol('unsettled')
  await Promise.resolve()
  return (await Promise.race([promise, Promise.resolve(unsettled)])) !== unsettled
}

test('a backlog has room until its bound, and again when waiting batches are settled', async () => {
  const { backlog } = start(2)
  backlog.add(0, backlogBytesMax - 1)
  expect(backlog.room()).toBeUndefined()
  backlog.add(1, 1)
  const room = backlog.room()
  expect(await isSettled(room)).toBe(false)
  backlog.add(0, -1)
  await soon('room', room!)
  expect(backlog.room()).toBeUndefined()
})

test('a stalled partition keeps its share, is not fetched, and delays no other', async () => {
  const { backlog, clock, events } = start(4)
  backlog.add(0, backlogBytesMax)
  const room = backlog.room()
  clock.ms = 999
  backlog.look()
  expect([events, await isSettled(room)]).toEqual([[], false])
  clock.ms = 1_000
  backlog.look()
  await soon('room', room!)
  expect(events).toEqual(['pause 0'])
  // The others have the whole of it.
  backlog.add(1, backlogBytesMax - 1)
  expect(backlog.room()).toBeUndefined()
  // It continues when less than its share is left.
  backlog.add(0, -backlogBytesMax / 2)
  expect(events).toEqual(['pause 0'])
  backlog.add(0, -backlogBytesMax / 4 - 1)
  expect(events).toEqual(['pause 0', 'resume 0'])
  expect(backlog.room()).toBeDefined()
  backlog.add(1, -backlogBytesMax / 2)
  expect(backlog.room()).toBeUndefined()
})

test('a partition that advances, or has little waiting, is still fetched', () => {
  const { backlog, clock, events } = start(2)
  backlog.add(0, backlogBytesMax)
  backlog.add(1, backlogBytesMax / 2 - 1)
  for (let second = 1; second < 5; second++) {
    clock.ms = second * 900
    backlog.add(0, -1)
    backlog.add(0, 1)
    backlog.look()
  }
  expect(events).toEqual([])
})

test('partitions that stall one after another take no more than a bound', () => {
  const { backlog, clock, events } = start(9)
  for (let partition = 0; partition < 9 && backlog.room() === undefined; partition++) {
    backlog.add(partition, backlogBytesMax)
    clock.ms += 1_000
    backlog.look()
  }
  expect(events).toHaveLength(totalBytesMax / backlogBytesMax)
  expect(backlog.room()).toBeDefined()
})

test('a backlog removes a lost partition', () => {
  const { backlog, clock, events } = start(2)
  backlog.add(0, backlogBytesMax)
  clock.ms = 1_000
  backlog.look()
  backlog.add(0, -backlogBytesMax)
  expect(events).toEqual(['pause 0', 'resume 0'])
  backlog.add(0, 1)
  clock.ms = 1_500
  backlog.add(1, backlogBytesMax - 2)
  expect(backlog.room()).toBeUndefined()
  backlog.add(1, 1)
  expect(backlog.room()).toBeDefined()
})

test('a wait for room ends when the store ends', async () => {
  const { backlog } = start(1)
  backlog.add(0, backlogBytesMax)
  const room = backlog.room()
  backlog.stop()
  await soon('room', room!)
})

test('the share of a partition is that of the partitions that there are now', () => {
  const { backlog, clock, events, sharing } = start(0)
  backlog.add(0, backlogBytesMax / 4)
  clock.ms = 1_000
  backlog.look()
  expect(events).toEqual([])
  sharing.count = 4
  backlog.look()
  expect(events).toEqual(['pause 0'])
})
