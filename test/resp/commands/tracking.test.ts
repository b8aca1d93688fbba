import { describe, expect, test } from 'bun:test'
import { defineStore } from '../../../lib/index.ts'
import { RespFakeStore } from '../../support/resp/fake-store.ts'
import { command, Push, ReplyError } from '../../support/resp/replies.ts'
import { Talk } from '../../support/resp/talk.ts'

function invalidated(...keys: string[]): Push {
  return new Push(['invalidate', keys])
}

const everything = new Push(['invalidate', null])

/** @param options of CLIENT TRACKING ON; undefined: it is off */
async function tracking(options: string[] = [], store = new RespFakeStore()): Promise<Talk> {
  const talk = new Talk({}, store)
  await talk.ask('HELLO', '3')
  expect(await talk.ask('CLIENT', 'TRACKING', 'ON', ...options)).toBe('OK')
  return talk
}

describe('CLIENT TRACKING', () => {
  test.each([
    [['GET', 'a']],
    [['MGET', 'x', 'a']],
    [['EXISTS', 'a', 'x']],
    [['STRLEN', 'a']],
    [['GETRANGE', 'a', '0', '1']],
    [['TYPE', 'a']],
    [['TTL', 'a']],
  ])('after %j, the next change of the key is pushed once', async (words) => {
    const talk = await tracking()
    talk.store.put('a', '1')
    await talk.ask(...words)
    talk.store.change('b', '2')
    talk.store.change('a', '2')
    expect(await talk.pushed()).toEqual([invalidated('a')])
    talk.store.change('a', '3')
    expect(await talk.pushed()).toEqual([])
    await talk.ask(...words)
    talk.store.change('a', undefined)
    expect(await talk.pushed()).toEqual([invalidated('a')])
  })

  test('a key that did not exist is remembered, too', async () => {
    const talk = await tracking()
    expect(await talk.ask('GET', 'none')).toBeNull()
    talk.store.change('none', '1')
    expect(await talk.pushed()).toEqual([invalidated('none')])
  })

  test('keys that are read without tracking, or by SCAN, are not remembered', async () => {
    const talk = await tracking()
    talk.store.put('a', '1')
    await talk.ask('SCAN', '0')
    await talk.ask('CLIENT', 'TRACKING', 'OFF')
    await talk.ask('GET', 'a')
    await talk.ask('CLIENT', 'TRACKING', 'ON')
    talk.store.change('a', '2')
    expect(await talk.pushed()).toEqual([])
  })

  test('with OPTIN, only keys of the command after CLIENT CACHING YES are remembered', async () => {
    const talk = await tracking(['OPTIN'])
    await talk.ask('GET', 'a')
    await talk.ask('CLIENT', 'CACHING', 'YES')
    await talk.ask('CLIENT', 'ID')
    await talk.ask('MGET', 'b', 'c')
    await talk.ask('GET', 'd')
    for (const key of ['a', 'b', 'c', 'd']) talk.store.change(key, '1')
    expect(await talk.pushed()).toEqual([invalidated('b', 'c')])
  })

  test('with OPTOUT, keys of the command after CLIENT CACHING NO are not', async () => {
    const talk = await tracking(['OPTOUT', 'NOLOOP'])
    await talk.ask('CLIENT', 'CACHING', 'NO')
    await talk.ask('GET', 'a')
    await talk.ask('GET', 'b')
    for (const key of ['a', 'b']) talk.store.change(key, '1')
    expect(await talk.pushed()).toEqual([invalidated('b')])
  })

  test('in broadcast mode, each change of a key with one of the prefixes is pushed', async () => {
    const talk = await tracking(['BCAST', 'PREFIX', 'user:', 'PREFIX', 'item:'])
    for (const key of ['user:1', 'item:1', 'other:1', 'user', 'user:1']) talk.store.change(key, '1')
    expect(await talk.pushed()).toEqual([invalidated('user:1', 'item:1')])
    talk.store.change('user:1', undefined)
    expect(await talk.pushed()).toEqual([invalidated('user:1')])
    expect(await talk.ask('CLIENT', 'TRACKING', 'ON', 'BCAST', 'PREFIX', 'x')).toBe('OK')
    talk.store.change('x1', '1')
    expect(await talk.pushed()).toEqual([invalidated('x1')])
    const all = await tracking(['BCAST'])
    all.store.change('any', '1')
    expect(await all.pushed()).toEqual([invalidated('any')])
  })

  test('needs RESP3, and ends with it', async () => {
    const refusal = new ReplyError('ERR CLIENT TRACKING: invalidations are pushes of RESP3; send HELLO 3 first')
    expect(await new Talk().ask('CLIENT', 'TRACKING', 'ON')).toEqual(refusal)
    const talk = await tracking()
    expect(talk.stats.trackingClients).toBe(1)
    await talk.ask('HELLO', '2')
    expect(talk.stats.trackingClients).toBe(0)
    expect(talk.store.changes.watches).toBe(0)
  })

  test.each([
    ['RESET', async (talk: Talk) => void (await talk.ask('RESET'))],
    ['OFF', async (talk: Talk) => void (await talk.ask('CLIENT', 'TRACKING', 'OFF'))],
    ['the end of the connection', async (talk: Talk) => talk.session.close()],
  ])('ends with %s, and nothing is left', async (_, end) => {
    const talk = await tracking()
    await talk.ask('MGET', 'a', 'b')
    expect(talk.stats.trackedKeys).toBe(2)
    await end(talk)
    expect(talk.stats.trackedKeys + talk.stats.trackingClients + talk.store.changes.watches).toBe(0)
    talk.store.change('a', '1')
    expect(await talk.pushed()).toEqual([])
  })

  test('redirection is refused', async () => {
    const talk = await tracking()
    expect(await talk.ask('CLIENT', 'TRACKING', 'ON', 'REDIRECT', '1')).toEqual(
      new ReplyError(
        'ERR CLIENT TRACKING: REDIRECT is not possible here; use RESP3, in which the connection itself gets invalidations',
      ),
    )
  })

  test('a prefix has a bound in bytes, which the error names', async () => {
    const talk = new Talk()
    await talk.ask('HELLO', '3')
    expect(await talk.ask('CLIENT', 'TRACKING', 'ON', 'BCAST', 'PREFIX', 'x'.repeat(1_025))).toEqual(
      new ReplyError('ERR CLIENT TRACKING: a prefix has 1025 bytes, and it may have 1024; use a shorter one'),
    )
    expect(await talk.ask('CLIENT', 'TRACKING', 'ON', 'BCAST', 'PREFIX', 'x'.repeat(1_024))).toBe('OK')
  })

  test('the number of prefixes has bounds, which the errors name', async () => {
    const talk = await tracking(['BCAST', 'PREFIX', 'x'])
    const prefixes = Array.from({ length: 100 }, (_, index) => ['PREFIX', `p${index} `]).flat()
    expect(await talk.ask('CLIENT', 'TRACKING', 'ON', 'BCAST', ...prefixes)).toEqual(
      new ReplyError(
        'ERR CLIENT TRACKING: there would be 101 prefixes, and a client may have 100; use shorter prefixes',
      ),
    )
    for (let client = 0; client < 10; client++) {
      const own = Array.from({ length: 100 }, (_, index) => ['PREFIX', `${client} ${index} `]).flat()
      const session = talk.open()
      session.received(new Uint8Array(command('HELLO', '3')))
      session.received(new Uint8Array(command('CLIENT', 'TRACKING', 'ON', 'BCAST', ...own)))
    }
    talk.store.change('9 5 x', 'x')
    const replies = (await talk.pushed()).filter((reply) => reply instanceof ReplyError)
    expect(replies).toEqual([
      new ReplyError(
        'ERR CLIENT TRACKING: 901 other prefixes are tracked already, and there may be 1000; use fewer prefixes, or the default mode',
      ),
    ])
  })
})

describe('an invalidation', () => {
  test('comes after the reply of a command that was in progress when the key changed', async () => {
    const talk = await tracking()
    talk.store.put('a', 'old')
    for (const isNew of [false, true]) {
      const reading = Promise.withResolvers<void>()
      const { onGet } = talk.store
      // The value is read before the change, or after it.
      talk.store.onGet = async (key) => {
        const before = onGet(key)
        await reading.promise
        return isNew ? onGet(key) : before
      }
      talk.session.received(new Uint8Array(command('GET', 'a')))
      talk.store.change('a', `new ${isNew}`)
      expect(await talk.pushed()).toEqual([])
      reading.resolve()
      talk.store.onGet = onGet
      expect(await talk.pushed()).toEqual([isNew ? 'new true' : 'old', invalidated('a')])
    }
  })

  test('of everything follows when changes were missed, or a partition has moved', async () => {
    const talk = await tracking()
    const other = await tracking(['BCAST', 'PREFIX', 'x'], talk.store)
    for (const what of ['missed', 'moved'] as const) {
      await talk.ask('GET', 'a')
      expect(talk.stats.trackedKeys).toBe(1)
      talk.store.changes.change(what)
      // What was read is named, too: node-redis keeps a value whose reply comes together with the other one.
      expect(await talk.pushed()).toEqual([invalidated('a'), everything])
      expect(await other.pushed()).toEqual([everything])
      expect(talk.stats.trackedKeys).toBe(0)
      expect(talk.session.isOver).toBe(false)
    }
  })

  test('of everything stands for those of many keys to a client that takes nothing', async () => {
    const talk = await tracking(['BCAST'])
    talk.output.bytes = 20_000
    for (let round = 0; round < 9_000; round++) talk.store.change(`key ${round}`, 'x')
    for (let turn = 0; turn < 5; turn++) await talk.pushed()
    expect(talk.context.notifier.queues.bytes).toBeLessThan(1_048_576)
    talk.output.bytes = 0
    talk.session.proceed()
    const pushes = await talk.pushed()
    const named = pushes.slice(0, -1).flatMap((push) => (push as Push).parts[1] as string[])
    expect(pushes.at(-1)).toEqual(everything)
    expect(named.length).toBeLessThan(600)
    talk.store.change('a', 'x')
    expect(await talk.pushed()).toEqual([invalidated('a')])
  })

  test('of everything names the keys that were read last, in their text', async () => {
    const talk = await tracking([], new RespFakeStore(defineStore({ key: 'int64', input: 'raw' })))
    const keys = Array.from({ length: 300 }, (_, index) => `${index}`)
    await talk.all(Buffer.concat(keys.map((key) => command('GET', key))))
    await talk.ask('GET', '7')
    talk.store.changes.change('missed')
    const latest = [...keys.slice(-255), '7']
    expect(await talk.pushed()).toEqual([invalidated(...latest), everything])
  })

  test('follows at once for a key that was written in another way than it is shown', async () => {
    const talk = await tracking([], new RespFakeStore(defineStore({ key: 'json', input: 'raw' })))
    const key = new Uint8Array(Buffer.from('{"a":1,"b":2}'))
    talk.store.put(key, 'value')
    expect(await talk.all(command('GET', '{"b":2, "a":1}'))).toEqual(['value', invalidated('{"b":2, "a":1}')])
    expect(await talk.all(command('GET', '{"a":1,"b":2}'))).toEqual(['value'])
    talk.store.change(key, 'x')
    expect(await talk.pushed()).toEqual([invalidated('{"a":1,"b":2}')])
  })
})
