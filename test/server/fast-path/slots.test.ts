import { describe, expect, test } from 'bun:test'
import { configureLogging } from '../../../lib/log/index.ts'
import { type SlotHolder, Slots } from '../../../lib/server/fast-path/slots.ts'

/** Records the calls of holders. A holder that yields releases its slot later, like a connection that is closed. */
function start(max: number) {
  const slots = new Slots(max)
  const calls: string[] = []
  const holder = (name: string): SlotHolder => ({
    begin: () => void calls.push(`${name} begins`),
    yield: () => void calls.push(`${name} yields`),
  })
  return { slots, calls, holder }
}

describe('Slots', () => {
  test('requests beyond the bound wait in order of arrival', () => {
    const { slots, calls, holder } = start(2)
    const holders = ['a', 'b', 'c', 'd', 'e'].map(holder)
    for (const each of holders) slots.acquire(each)
    expect(calls.splice(0)).toEqual(['a begins', 'b begins'])
    slots.free(holders[1]!)
    expect(calls.splice(0)).toEqual(['c begins'])
    slots.cancel(holders[3]!)
    slots.free(holders[0]!)
    slots.free(holders[2]!)
    expect(calls.splice(0)).toEqual(['e begins'])
    slots.free(holders[4]!)
    for (const each of holders) slots.acquire(each)
    expect(calls).toEqual(['a begins', 'b begins'])
  })

  test('requests with a complete head come first', () => {
    const { slots, calls, holder } = start(1)
    const holders = ['a', 'b', 'c', 'd', 'e'].map(holder) as [
      SlotHolder,
      SlotHolder,
      SlotHolder,
      SlotHolder,
      SlotHolder,
    ]
    const [a, , c, d, e] = holders
    for (const each of holders) slots.acquire(each)
    for (const each of [a, e, c, d]) slots.ready(each)
    slots.cancel(c)
    for (const each of [a, e, d]) slots.free(each)
    expect(calls).toEqual(['a begins', 'e begins', 'd begins', 'b begins'])
  })

  test('an inactive one is dropped for a waiting one, and no more than one', () => {
    const { slots, calls, holder } = start(3)
    const [a, b, c, d] = ['a', 'b', 'c', 'd'].map(holder) as [SlotHolder, SlotHolder, SlotHolder, SlotHolder]
    for (const each of [a, b, c]) slots.acquire(each)
    slots.rest(a)
    slots.rest(b)
    slots.use(a)
    calls.length = 0
    slots.acquire(d)
    expect(calls).toEqual(['b yields'])
    slots.free(b)
    expect(calls).toEqual(['b yields', 'd begins'])
  })

  test('a finished one is dropped at once when others wait', () => {
    const { slots, calls, holder } = start(1)
    const [a, b] = ['a', 'b'].map(holder) as [SlotHolder, SlotHolder]
    slots.acquire(a)
    slots.acquire(b)
    calls.length = 0
    slots.rest(a)
    expect(calls).toEqual(['a yields'])
  })

  test('one line is logged when some wait for long', () => {
    const lines: string[] = []
    configureLogging({ level: 'info', structured: false, write: (line) => void lines.push(line.slice(25).trim()) })
    const { slots, holder } = start(1)
    const [a, b, c] = ['a', 'b', 'c'].map(holder) as [SlotHolder, SlotHolder, SlotHolder]
    for (const each of [a, b, c]) slots.acquire(each)
    slots.tick()
    expect(lines).toEqual([])
    slots.tick()
    slots.tick()
    expect(lines).toEqual([
      expect.stringContaining('Passing requests on: 2 have to wait, because 1 others are in progress'),
    ])
  })
})
