import { expect, test } from 'bun:test'
import { Backoff, sleep } from '../../lib/kafka/backoff.ts'

test('Backoff stays between half and all of a ceiling that doubles up to 5 s when attempts fail', () => {
  const backoff = new Backoff()
  for (const ceiling of [100, 200, 400, 800, 1600, 3200, 5000, 5000, 5000]) {
    const ms = backoff.nextMs()
    expect(ms).toBeGreaterThanOrEqual(ceiling / 2)
    expect(ms).toBeLessThanOrEqual(ceiling)
  }
})

test('Backoff is still bounded when a thousand attempts have failed', () => {
  const backoff = new Backoff()
  for (let attempt = 0; attempt < 1000; attempt++) backoff.nextMs()
  expect(backoff.nextMs()).toBeLessThanOrEqual(5000)
})

test('Backoff starts again when it is reset', () => {
  const backoff = new Backoff()
  for (let attempt = 0; attempt < 10; attempt++) backoff.nextMs()
  backoff.reset()
  expect(backoff.nextMs()).toBeLessThanOrEqual(100)
})

test('sleep ends at once when its signal is or becomes aborted', async () => {
  await sleep(2 ** 30, AbortSignal.abort())
  const controller = new AbortController()
  const slept = sleep(2 ** 30, controller.signal)
  controller.abort()
  expect(await slept).toBeUndefined()
})
