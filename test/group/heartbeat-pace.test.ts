import { expect, test } from 'bun:test'
import { HeartbeatPace } from '../../lib/group/heartbeat-pace.ts'

/** Sleeps take no time, unless they are interrupted. */
class Harness {
  nowMs = 1_000
  readonly slept: number[] = []
  /** Happens in a sleep. */
  meanwhile = () => {}
  readonly pace: HeartbeatPace

  constructor(heartbeatMs: number) {
    const sleep = async (ms: number, signal: AbortSignal) => {
      this.meanwhile()
      this.slept.push(signal.aborted ? 0 : ms)
      if (!signal.aborted) this.nowMs += ms
    }
    this.pace = new HeartbeatPace(heartbeatMs, { nowMs: () => this.nowMs, sleep })
  }

  async beats(count: number): Promise<number[]> {
    this.slept.length = 0
    for (let beat = 0; beat < count; beat++) await this.pace.due()
    return this.slept
  }
}

test('heartbeats hurry for two seconds, the first one at once', async () => {
  const harness = new Harness(500)
  expect(await harness.beats(2)).toEqual([500, 500])
  harness.meanwhile = () => {
    harness.pace.hurry()
    harness.meanwhile = () => {}
  }
  const hurried = Array.from({ length: 20 }, () => 100)
  expect(await harness.beats(22)).toEqual([0, ...hurried, 500])
})

test('who is in a hurry already sends no further heartbeat at once, however often that is said', async () => {
  const harness = new Harness(500)
  harness.pace.hurry()
  harness.meanwhile = () => harness.pace.hurry()
  expect(await harness.beats(3)).toEqual([100, 100, 100])
})

test('a hurry makes no heartbeat later than it would be', async () => {
  const harness = new Harness(50)
  harness.pace.hurry()
  expect(await harness.beats(2)).toEqual([50, 50])
})

test('the end is not waited for', async () => {
  const harness = new Harness(500)
  harness.meanwhile = () => harness.pace.end()
  expect(await harness.beats(2)).toEqual([0])
})
