import { expect, test } from 'bun:test'
import { LatchkeyError } from '../../lib/errors.ts'
import { scatter, type ScatterOptions } from '../../lib/routing/scatter.ts'
import { until } from '../support/until.ts'

/** Longer than a loaded machine keeps a timer waiting: these tests end by an answer. */
const times = { hedgeMs: 20, roundsMs: 20_000, pauseMs: 10, timeoutMs: 40_000 }
const elsewhere = () => new LatchkeyError('recovering', 'Reading: it is recovering')

type Ask = ScatterOptions<string>['ask']

/** Members by part: each has a value of its own, unless its answer is given. */
function ask(candidates: readonly string[][], answers: Record<string, Ask> = {}, bounds = {}) {
  const asked: string[] = []
  const outcomes = scatter<string>({
    attempted: 'Reading',
    nameOf: (member) => `http://${member}`,
    partitions: candidates.map((_, part) => part),
    candidates: (part) => candidates[part]!,
    ask: async (member, parts, timeoutMs) => {
      asked.push(`${member} ${parts.join(' ')}`)
      return answers[member]?.(member, parts, timeoutMs) ?? parts.map((part) => `${member}${part}`)
    },
    times: { ...times, ...bounds },
  })
  return { asked, outcomes }
}

const never = () => new Promise<never>(() => {})

test('each member is asked once for all of its parts', async () => {
  const { asked, outcomes } = ask([['a', 'b'], ['b'], ['a']])
  expect(await outcomes).toEqual(['a0', 'b1', 'a2'])
  expect(asked).toEqual(['a 0 2', 'b 1'])
})

test('nothing is asked for nothing', async () => {
  expect(await ask([]).outcomes).toEqual([])
})

test('parts that a member does not answer are asked of the next one, and only these', async () => {
  const { asked, outcomes } = ask(
    [
      ['a', 'b'],
      ['a', 'c'],
      ['a', 'b'],
    ],
    {
      a: async (_, parts) => parts.map((part) => (part === 1 ? 'a1' : elsewhere())),
    },
  )
  expect(await outcomes).toEqual(['b0', 'a1', 'b2'])
  expect(asked).toEqual(['a 0 1 2', 'b 0 2'])
})

test('an error of the value itself is final', async () => {
  const error = new LatchkeyError('rebuilding', 'Reading: it is being rebuilt')
  const { asked, outcomes } = ask([['a', 'b']], { a: async () => [error] })
  expect(await outcomes).toEqual([error])
  expect(asked).toEqual(['a 0'])
})

test('a member that is silent is not waited for, and its late answer counts if it is the first', async () => {
  const late = Promise.withResolvers<string[]>()
  const { asked, outcomes } = ask([['a', 'b'], ['a']], { a: () => late.promise })
  await until('the others to be asked', () => asked.length === 2)
  expect(asked).toEqual(['a 0 1', 'b 0'])
  late.resolve(['a0', 'a1'])
  expect(await outcomes).toEqual(['b0', 'a1'])
})

test('a member that fails after others were asked in its place changes nothing', async () => {
  const late = Promise.withResolvers<string[]>()
  const slow = Promise.withResolvers<string[]>()
  const { asked, outcomes } = ask([['a', 'b', 'c']], { a: () => late.promise, b: () => slow.promise })
  await until('the others to be asked', () => asked.length === 3)
  late.reject(elsewhere())
  await Bun.sleep(0)
  slow.resolve(['b0'])
  expect(await outcomes).toEqual(['c0'])
  expect(asked).toEqual(['a 0', 'b 0', 'c 0'])
})

test('all are asked again for a while', async () => {
  let calls = 0
  const { outcomes } = ask([['a', 'b']], {
    a: async () => [calls++ < 2 ? elsewhere() : 'a0'],
    b: async () => [elsewhere()],
  })
  expect(await outcomes).toEqual(['a0'])
})

test('what no member answers names who was asked, and what each has said', async () => {
  const answers = { a: async () => [elsewhere()], b: never, c: never }
  const { outcomes } = ask([['a', 'b'], ['c'], []], answers, { roundsMs: 60, timeoutMs: 400 })
  const [refused, silent, unassigned] = (await outcomes) as LatchkeyError[]
  expect(refused).toMatchObject({
    code: 'owner_unreachable',
    details: {
      partition: 0,
      tried: [
        { url: 'http://a', said: 'Reading: it is recovering' },
        { url: 'http://b', said: 'no answer in time' },
      ],
    },
  })
  expect(silent).toMatchObject({ code: 'owner_unreachable', details: { partition: 1 } })
  expect(unassigned).toMatchObject({ code: 'partition_unassigned', details: { partition: 2 } })
})

test('a defect of one member is not the end', async () => {
  const { outcomes } = ask([['a', 'b']], {
    a: () => {
      throw new TypeError('A defect')
    },
  })
  expect(await outcomes).toEqual(['b0'])
})
