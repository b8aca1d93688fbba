/** A small fleet. The rows of DESIGN.md are for hours. */
import { expect, test } from 'bun:test'
import { Random } from '../support/random.ts'
import { smallFleet } from './small.ts'

const testTimeoutMs = 240_000

test(
  'instances of a group answer every key while one joins, one is killed, one stands still and one stops',
  async () => {
    let step = ''
    const wrong = await smallFleet(Random.of('fleet'), { say: (line) => (step = line) })
    expect({ step, wrong }).toEqual({ step: 'the end', wrong: [] })
  },
  testTimeoutMs,
)
