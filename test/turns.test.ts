import { describe, expect, test } from 'bun:test'
import { Turns } from '../lib/turns.ts'
import { inTurns } from './support/server/fake-connection.ts'
import { until } from './support/until.ts'

/** A clock that a test sets, in milliseconds. */
function clockedTurns() {
  const clock = { ms: 1_000 }
  return { clock, turns: new Turns(() => clock.ms) }
}

describe('a turn', () => {
  test('is over when two milliseconds have passed, and not before', () => {
    const { clock, turns } = clockedTurns()
    expect(turns.isOver).toBeFalse()
    clock.ms += 2
    expect(turns.isOver).toBeFalse()
    clock.ms += 0.1
    expect(turns.isOver).toBeTrue()
  })

  test('begins again with the next turn of the loop', async () => {
    const { clock, turns } = clockedTurns()
    expect(turns.isOver).toBeFalse()
    clock.ms += 3
    expect(turns.isOver).toBeTrue()
    await new Promise((resolve) => setImmediate(resolve))
    expect(turns.isOver).toBeFalse()
  })

  test('is shared by those that wait, who continue in order, also when they wait again', async () => {
    const { clock, turns } = clockedTurns()
    const turnsOf: string[][] = [[]]
    let left = 6
    const proceed = (name: string, ms: number) => {
      turnsOf.at(-1)!.push(name)
      clock.ms += ms
      if (--left > 0) turns.wait(() => proceed(name, ms))
    }
    turns.wait(() => proceed('a', 1))
    turns.wait(() => proceed('b', 2))
    turns.wait(() => proceed('c', 5))
    await inTurns(() => {
      if (turnsOf.at(-1)!.length > 0) turnsOf.push([])
      return turns.isIdle
    })
    expect(turnsOf).toEqual([['a', 'b'], ['c'], ['a', 'b'], ['c'], ['a', 'b'], []])
  })

  test('continues with one at least, however long it takes', async () => {
    const { clock, turns } = clockedTurns()
    let calls = 0
    const proceed = () => {
      calls++
      clock.ms += 1_000
      turns.wait(proceed)
    }
    turns.wait(proceed)
    await until('it was called several times', () => calls > 3)
  })
})
