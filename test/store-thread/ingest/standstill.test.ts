import { afterEach, expect, test } from 'bun:test'
import { bootTimeMs } from '../../../lib/linux/boot-time.ts'
import { StandstillWatch } from '../../../lib/store-thread/ingest/standstill.ts'
import { until } from '../../support/until.ts'

const open: StandstillWatch[] = []
afterEach(() => {
  for (const one of open.splice(0)) one.stop()
})

function start() {
  let now = 1_000
  let standstills = 0
  const watch = new StandstillWatch(
    () => standstills++,
    () => now,
  )
  open.push(watch)
  return { watch, wait: (ms: number) => void (now += ms), standstills: () => standstills }
}

test('StandstillWatch reports once when more than five seconds passed between two checks', () => {
  const { watch, wait, standstills } = start()
  watch.check()
  wait(5_000)
  watch.check()
  expect([standstills(), watch.hasStoodStill]).toEqual([0, false])
  wait(5_001)
  watch.check()
  watch.check()
  expect([standstills(), watch.hasStoodStill]).toEqual([1, true])
})

test('StandstillWatch checks periodically when nothing is written', async () => {
  const { wait, standstills } = start()
  wait(60_000)
  await until('it has looked', () => standstills() === 1)
})

test('bootTimeMs advances with time', async () => {
  const before = bootTimeMs()
  await until('it has gone on', () => bootTimeMs() > before)
  expect(bootTimeMs() - before).toBeLessThan(60_000)
})
