/** What is kept of a registry, what it counts for, and how often is asked for it. */
import { afterEach, describe, expect, mock, spyOn, test } from 'bun:test'
import { SchemaPending } from '../../../lib/format/index.ts'
import { registryCodec } from '../../../lib/format/registry.ts'
import { compile } from '../../../lib/format/registry/compile.ts'
import { Refused, RegistryUnavailable } from '../../../lib/format/registry/faults.ts'
import { Fetched } from '../../../lib/format/registry/fetched.ts'
import type { Schemas } from '../../../lib/format/registry/schemas.ts'
import { isPending, settled } from '../../support/format/registry/settled.ts'

const silent = { trouble() {}, settled() {} }
const never = () => new Promise<never>(() => {})
const million = 1_000_000

afterEach(() => mock.restore())

function isKept(fetched: Fetched<{ size: number }>, what: string): boolean {
  return !isPending(() => fetched.get(what, never))
}

describe('the bound on the length of schemas', () => {
  test('counts those that are kept, and no others', () => {
    const fetched = new Fetched<{ size: number }>(silent)
    for (const what of ['a', 'b', 'c']) fetched.keep(what, { size: 8 * million })
    expect(isKept(fetched, 'a')).toBe(false)
    fetched.keep('d', { size: 1 })
    expect(['b', 'c', 'd'].map((what) => isKept(fetched, what))).toEqual([true, true, true])
  })

  test('counts one that is known from elsewhere, too, once', () => {
    const fetched = new Fetched<{ size: number }>(silent)
    for (let times = 0; times < 3; times++) fetched.keep('a', { size: 6 * million })
    fetched.keep('b', { size: 6 * million })
    expect(['a', 'b'].map((what) => isKept(fetched, what))).toEqual([true, true])
  })

  test('leaves the last one, however long', () => {
    const fetched = new Fetched<{ size: number }>(silent)
    fetched.keep('a', { size: 1 })
    fetched.keep('b', { size: 20 * million })
    expect(['a', 'b'].map((what) => isKept(fetched, what))).toEqual([false, true])
  })

  test('counts the text of a schema and of what it refers to', () => {
    const references = new Map([
      ['A', '{"type":"fixed","name":"A","size":1}'],
      ['B', '{"type":"fixed","name":"B","size":2}'],
    ])
    expect(compile('avro', 7, '"int"', references).size).toBe(5 + 36 + 36)
    const proto = 'syntax = "proto3"; message A {}'
    expect(compile('protobuf', 7, proto, new Map()).size).toBe(proto.length)
  })
})

test('a lookup that waits for room ends when there is some, and later ones wait again', async () => {
  const fetched = new Fetched<{ size: number }>(silent)
  const fetches = Array.from({ length: 64 }, () => Promise.withResolvers<{ size: number }>())
  for (const [index, { promise }] of fetches.entries()) isPending(() => fetched.get(`${index}`, () => promise))
  const room = pendingOf(() => fetched.get('late', never))
  expect(Bun.peek.status(room)).toBe('pending')
  fetches[0]!.resolve({ size: 1 })
  await room
  // This one takes the room.
  isPending(() => fetched.get('late', never))
  expect(Bun.peek.status(pendingOf(() => fetched.get('later', never)))).toBe('pending')
})

function pendingOf(ask: () => unknown): Promise<void> {
  try {
    ask()
  } catch (error) {
    if (error instanceof SchemaPending) return error.ready
  }
  throw new Error('It is not pending')
}

describe('between one question and the next pass', () => {
  /** What is waited for, of which nothing is. */
  async function pauses(failures: readonly Error[]): Promise<number[]> {
    const { setTimeout: set } = globalThis
    const ms: number[] = []
    spyOn(globalThis, 'setTimeout').mockImplementation(((work: () => void, pauseMs: number) => {
      ms.push(pauseMs)
      return set(work, 0)
    }) as typeof setTimeout)
    const options = { retryMsMin: 100, retryMsMax: 1_000, retryMsOperator: 7_000, confirmMs: 50 }
    const fetched = new Fetched<{ size: number }>(silent, options)
    const left = [...failures]
    const fetch = () => (left.length === 0 ? Promise.resolve({ size: 1 }) : Promise.reject(left.shift()!))
    await settled(() => fetched.get('a', fetch))
    return ms
  }

  test('twice as much each time, up to a bound, the half of it by chance', async () => {
    const found = await pauses(Array.from({ length: 8 }, () => new RegistryUnavailable('away')))
    for (const [index, most] of [100, 200, 400, 800, 1_000, 1_000, 1_000, 1_000].entries()) {
      expect(found[index]).toBeGreaterThanOrEqual(most / 2)
      expect(found[index]).toBeLessThanOrEqual(most)
    }
    expect(found).toHaveLength(8)
  })

  test('more where only an operator can help, and little after the first refusal', async () => {
    expect(await pauses([new RegistryUnavailable('denied', true), new Refused('not found')])).toEqual([7_000, 50])
  })
})

test('the latest schema of a subject is requested once, even if it was evicted meanwhile', () => {
  let asked = 0
  const compiled = compile('avro', 7, '"int"', new Map())
  const schemas = { willAsk() {}, latest: () => (asked++, compiled) } as unknown as Schemas
  const registry = { url: 'http://127.0.0.1:1' }
  const codec = registryCodec({ format: 'registry', kind: 'avro', registry, subject: 's' }, schemas)
  for (let times = 0; times < 3; times++) expect(codec.encode(7).toHex()).toBe('00000000070e')
  expect(asked).toBe(1)
})
