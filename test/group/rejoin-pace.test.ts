import { expect, test } from 'bun:test'
import { RejoinPace } from '../../lib/group/rejoin-pace.ts'

/** When requests are made, if each plan leaves something to want. */
function requests(pace: RejoinPace, untilMs: number, isNew: boolean): number[] {
  const times: number[] = []
  for (let nowMs = 0; nowMs <= untilMs; nowMs += 100) {
    pace.want(nowMs, 'ready')
    if (pace.take(nowMs) === undefined) continue
    times.push(nowMs)
    pace.planned(isNew)
  }
  return times
}

test('what is wanted within a moment is one request, and one member asks every two seconds at most', () => {
  expect(requests(new RejoinPace(), 6_500, true)).toEqual([200, 2_200, 4_200, 6_200])
})

test('requests that change nothing become rarer, down to one in 30 seconds, until one changes something', () => {
  const pace = new RejoinPace()
  const times = requests(pace, 120_000, false)
  expect(times.map((time, at) => time - (times[at - 1] ?? 0))).toEqual([
    200, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000,
  ])
  const last = times.at(-1)!
  pace.want(last + 100, 'ready')
  expect(pace.take(last + 2_000)).toBeUndefined()
  pace.planned(true)
  pace.want(last + 2_000, 'lost')
  pace.want(last + 2_050, 'ready')
  const reasons = [last + 2_100, last + 2_200, last + 2_300].map((nowMs) => pace.take(nowMs))
  expect(reasons).toEqual([undefined, 'lost', undefined])
})

test('a partition that waits for its strangers to be known does not wait until a quiet group asks again', () => {
  const pace = new RejoinPace()
  expect(requests(pace, 20_000, false).at(-1)).toBe(12_200)
  expect(pace.take(20_000)).toBeUndefined()
  pace.want(20_000, 'strangers')
  expect(pace.take(20_200)).toBeDefined()
})

test('a plan of another request fulfils what depends on the plan, and not the other wishes', () => {
  const pace = new RejoinPace()
  pace.want(0, 'ready')
  pace.planned(true)
  expect(pace.take(10_000)).toBeUndefined()
  pace.want(10_000, 'ready')
  pace.want(10_000, 'lost')
  pace.planned(true)
  expect([pace.take(20_000), pace.take(30_000)]).toEqual(['lost', undefined])
})
