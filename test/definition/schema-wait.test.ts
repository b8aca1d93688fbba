import { afterEach, describe, expect, mock, spyOn, test } from 'bun:test'
import { withSchemas } from '../../lib/definition/schema-wait.ts'
import { SchemaPending } from '../../lib/format/index.ts'

const waitingMax = 10_000
const longMs = 600_000
const unavailable = { code: 'schema_unavailable' }

afterEach(() => mock.restore())

/** What asks for a schema, and says how often it did. */
class Asking {
  asked = 0
  readonly schema = Promise.withResolvers<void>()
  isThere = false

  readonly ask = (): string => {
    this.asked++
    if (this.isThere) return 'there'
    throw new SchemaPending('schema 7', this.schema.promise)
  }

  come(): void {
    this.isThere = true
    this.schema.resolve()
  }

  wait(waitMs = longMs): Promise<string> {
    return Promise.resolve(withSchemas(this.ask, waitMs))
  }

  waitOften(count: number): Promise<string>[] {
    return Array.from({ length: count }, () => this.wait())
  }
}

/** So many wait, and not one more. */
async function expectRoom(count: number): Promise<void> {
  const asking = new Asking()
  const waiting = asking.waitOften(count)
  const oneMore = asking.wait()
  oneMore.catch(() => {})
  await Promise.resolve()
  expect(waiting.map((answer) => Bun.peek.status(answer)).filter((status) => status !== 'pending')).toEqual([])
  expect(Bun.peek.status(oneMore)).toBe('rejected')
  expect(await oneMore.catch((error: unknown) => error)).toMatchObject(unavailable)
  asking.come()
  expect(new Set(await Promise.all(waiting))).toEqual(new Set(['there']))
}

describe('lookups that wait at the same time are bounded:', () => {
  test('one more is refused at once, and there is room again when the others are answered', async () => {
    await expectRoom(waitingMax)
    await expectRoom(waitingMax)
  })

  test('lookups that timed out do not count, nor a second time when the schema comes late', async () => {
    const late = new Asking()
    const inVain = Array.from({ length: 10 }, () => late.wait(1).catch((error: unknown) => error))
    for (const refused of await Promise.all(inVain)) expect(refused).toMatchObject(unavailable)
    late.come()
    expect(await late.wait()).toBe('there')
    await expectRoom(waitingMax)
  })
})

test('many lookups that wait for one schema add one reaction', async () => {
  const asking = new Asking()
  const then = spyOn(asking.schema.promise, 'then')
  const waiting = asking.waitOften(3)
  expect(then).toHaveBeenCalledTimes(1)
  asking.come()
  await Promise.all(waiting)
  // It has come, and is asked for again: forgotten meanwhile, as the one longest unused.
  asking.isThere = false
  const again = asking.wait()
  expect(then).toHaveBeenCalledTimes(2)
  asking.isThere = true
  expect(await again).toBe('there')
})

test('no timer is left when the schema has come', async () => {
  const timers = new Set<unknown>()
  const { setTimeout: set, clearTimeout: clear } = globalThis
  spyOn(globalThis, 'setTimeout').mockImplementation(((work: () => void, ms: number) => {
    const timer = set(work, ms)
    timers.add(timer)
    return timer
  }) as typeof setTimeout)
  spyOn(globalThis, 'clearTimeout').mockImplementation((timer) => {
    timers.delete(timer)
    clear(timer as Timer)
  })
  const asking = new Asking()
  const waiting = asking.waitOften(3)
  expect(timers.size).toBe(3)
  asking.come()
  await Promise.all(waiting)
  expect(timers.size).toBe(0)
})

test('several schemas in sequence share one time limit', async () => {
  let now = 0
  spyOn(performance, 'now').mockImplementation(() => now)
  const set = spyOn(globalThis, 'setTimeout')
  const schemas = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  let missing = schemas.length
  const answer = withSchemas(() => {
    if (missing === 0) return 'there'
    throw new SchemaPending('schema 7', schemas[schemas.length - missing]!.promise)
  }, 1_000)
  now = 600
  missing--
  schemas[0]!.resolve()
  await schemas[0]!.promise
  await Promise.resolve()
  expect(set.mock.calls.map(([, ms]) => ms)).toEqual([1_000, 400])
  missing--
  schemas[1]!.resolve()
  expect(await answer).toBe('there')
})

test('a lookup that needs one schema after another ends after a number of them, with any time limit', async () => {
  let asked = 0
  const ask = () => {
    // Without a bound it would ask for as long as there is something new.
    if (asked++ > 100) throw new Error('it asks without end')
    throw new SchemaPending(`schema ${asked}`, Promise.resolve())
  }
  const given = await Promise.resolve(withSchemas(ask, longMs)).catch((error: unknown) => error)
  expect(given).toMatchObject(unavailable)
})
