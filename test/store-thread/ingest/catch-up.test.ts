import { expect, test } from 'bun:test'
import { EpochTrail } from '../../../lib/kafka/epoch-trail.ts'
import { Stats } from '../../../lib/store-protocol/stats.ts'
import { CatchUp } from '../../../lib/store-thread/ingest/catch-up.ts'
import type { Resumption } from '../../../lib/store-thread/recovery/resume.ts'

function start(resumptions: Record<number, { position: number; sourceEnd: number; rebuild?: boolean }>) {
  const stats = new Stats(Object.keys(resumptions).map(Number))
  const entries = Object.entries(resumptions).map(([partition, { position, sourceEnd, rebuild = false }]) => {
    const epochs = new EpochTrail()
    const resumption: Resumption = { position, sourceEnd, rebuild, discard: false, lost: 0, reason: '', epochs }
    return [Number(partition), resumption] as const
  })
  return { stats, catchUp: new CatchUp(stats, new Map(entries)) }
}

test('CatchUp is done when every partition has reached its end at start', () => {
  const { catchUp, stats } = start({ 0: { position: 5, sourceEnd: 10 }, 1: { position: 0, sourceEnd: 3 } })
  expect([stats.gauge(0, 'end'), stats.gauge(1, 'end')]).toEqual([10, 3])
  expect(catchUp.progressed(0, 9)).toBe(false)
  expect(catchUp.progressed(0, 10)).toBe(true)
  expect(catchUp.isDone).toBe(false)
  expect(catchUp.progressed(1, 20)).toBe(true)
  expect(catchUp.isDone).toBe(true)
})

test('CatchUp reports a partition once', () => {
  const { catchUp } = start({ 0: { position: 0, sourceEnd: 3 } })
  expect([catchUp.progressed(0, 3), catchUp.progressed(0, 4), catchUp.progressed(7, 4)]).toEqual([true, false, false])
})

test('CatchUp is done at once when there is nothing to read', () => {
  const { catchUp } = start({ 0: { position: 3, sourceEnd: 3 } })
  expect(catchUp.progressed(0, 3)).toBe(true)
})

test('CatchUp keeps a partition rebuilding, with its progress shown, until it has arrived', () => {
  const { catchUp, stats } = start({
    0: { position: 10, sourceEnd: 30, rebuild: true },
    1: { position: 0, sourceEnd: 3 },
  })
  const progress = () =>
    (['recoveryStart', 'recoveryPosition', 'recoveryEnd'] as const).map((name) => stats.gauge(0, name))
  expect(progress()).toEqual([10, 10, 30])
  expect([catchUp.isRebuilding, catchUp.rebuilds(0), catchUp.rebuilds(1)]).toEqual([true, true, false])
  catchUp.progressed(0, 20)
  expect(progress()).toEqual([10, 20, 30])
  expect(catchUp.progressed(0, 35)).toBe(true)
  expect(progress()).toEqual([10, 30, 30])
  expect(catchUp.rebuilds(0)).toBe(true)
  expect(catchUp.arrived(0)).toBe(true)
  expect(catchUp.isRebuilding).toBe(false)
  expect(catchUp.arrived(1)).toBe(false)
})

test('CatchUp does not wait for a dropped partition', () => {
  const { catchUp } = start({ 0: { position: 0, sourceEnd: 3, rebuild: true }, 1: { position: 0, sourceEnd: 3 } })
  catchUp.drop(0)
  expect([catchUp.isRebuilding, catchUp.isDone]).toEqual([false, false])
  expect(catchUp.progressed(0, 3)).toBe(false)
  catchUp.drop(1)
  expect(catchUp.isDone).toBe(true)
})

test('a partition is read again until it reaches its target, and reports it once', async () => {
  const { catchUp, stats } = start({ 0: { position: 0, sourceEnd: 3 } })
  catchUp.progressed(0, 3)
  catchUp.arrived(0)
  const arrived = catchUp.again(0)
  expect([catchUp.rebuilds(0), catchUp.progressed(0, 1e9)]).toEqual([true, false])
  catchUp.aim(0, 5, 10)
  expect([stats.gauge(0, 'recoveryStart'), stats.gauge(0, 'recoveryEnd')]).toEqual([5, 10])
  expect([catchUp.progressed(0, 9), catchUp.progressed(0, 10)]).toEqual([false, true])
  expect(catchUp.arrived(0)).toBe(true)
  expect(await arrived).toBe(true)
  expect(catchUp.rebuilds(0)).toBe(false)
})

test('a reread that starts again, or is lost, does not reach its target', async () => {
  const { catchUp } = start({ 0: { position: 0, sourceEnd: 3 } })
  const first = catchUp.again(0)
  catchUp.aim(0, 0, 10)
  expect(catchUp.progressed(0, 10)).toBe(true)
  const second = catchUp.again(0)
  expect(await first).toBe(false)
  expect(catchUp.arrived(0)).toBe(false)
  expect(catchUp.rebuilds(0)).toBe(true)
  catchUp.drop(0)
  expect(await second).toBe(false)
})
