import { describe, expect, test } from 'bun:test'
import { LatchkeyError } from '../../../lib/errors.ts'
import { defineStore } from '../../../lib/index.ts'
import { RespFakeStore } from '../../support/resp/fake-store.ts'
import { command, Push, ReplyError } from '../../support/resp/replies.ts'
import { Talk } from '../../support/resp/talk.ts'

const only = 'only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in this context'

/** A client of RESP3, which takes messages as pushes. */
async function talkOfResp3(store?: RespFakeStore): Promise<Talk> {
  const talk = new Talk({}, store)
  await talk.ask('HELLO', '3')
  return talk
}

describe('subscribing', () => {
  test('each channel and pattern has a reply with the number of subscriptions', async () => {
    const talk = new Talk()
    expect(await talk.all(command('SUBSCRIBE', 'a', 'a', 'b'))).toEqual([
      ['subscribe', 'a', 1],
      ['subscribe', 'a', 1],
      ['subscribe', 'b', 2],
    ])
    expect(await talk.ask('PSUBSCRIBE', 'x*')).toEqual(['psubscribe', 'x*', 3])
    expect(talk.stats.subscriptions).toBe(3)
    expect(await talk.all(command('UNSUBSCRIBE', 'a', 'none'))).toEqual([
      ['unsubscribe', 'a', 2],
      ['unsubscribe', 'none', 2],
    ])
    expect(await talk.ask('UNSUBSCRIBE')).toEqual(['unsubscribe', 'b', 1])
    expect(await talk.ask('UNSUBSCRIBE')).toEqual(['unsubscribe', null, 1])
    expect(await talk.ask('PUNSUBSCRIBE')).toEqual(['punsubscribe', 'x*', 0])
    expect(await talk.ask('PUNSUBSCRIBE')).toEqual(['punsubscribe', null, 0])
    expect(talk.stats.subscriptions).toBe(0)
    expect(talk.store.changes.watches).toBe(0)
  })

  test('in RESP3 the replies are pushes', async () => {
    const talk = await talkOfResp3()
    expect(await talk.ask('SUBSCRIBE', 'a')).toEqual(new Push(['subscribe', 'a', 1]))
    expect(await talk.ask('UNSUBSCRIBE')).toEqual(new Push(['unsubscribe', 'a', 0]))
    expect(await talk.ask('UNSUBSCRIBE')).toEqual(new Push(['unsubscribe', null, 0]))
  })

  test('a subscriber of RESP2 is answered only what belongs to it', async () => {
    const talk = new Talk()
    await talk.ask('SUBSCRIBE', 'a')
    expect(await talk.ask('GET', 'a')).toEqual(new ReplyError(`ERR Can't execute 'get': ${only}`))
    expect(await talk.ask('CLIENT', 'ID')).toEqual(new ReplyError(`ERR Can't execute 'client|id': ${only}`))
    expect(await talk.ask('HELLO', '3')).toEqual(new ReplyError(`ERR Can't execute 'hello': ${only}`))
    expect(await talk.ask('GET')).toEqual(new ReplyError("ERR wrong number of arguments for 'get' command"))
    expect(await talk.ask('PING')).toEqual(['pong', ''])
    expect(await talk.ask('PING', 'x')).toEqual(['pong', 'x'])
    expect(await talk.ask('RESET')).toBe('RESET')
    expect(await talk.ask('GET', 'a')).toBeNull()
    expect(talk.store.changes.watches).toBe(0)
  })

  test('a subscriber of RESP3 is answered everything', async () => {
    const talk = await talkOfResp3()
    await talk.ask('SUBSCRIBE', 'a')
    expect(await talk.ask('PING')).toBe('PONG')
    expect(await talk.ask('GET', 'a')).toBeNull()
    expect(await talk.ask('CLIENT', 'INFO')).toContain(' sub=1 psub=0 ')
  })

  test('the number of subscriptions has a bound for each client, which the error names', async () => {
    const talk = new Talk()
    const names = Array.from({ length: 10_000 }, (_, index) => `c${index}`)
    expect(await talk.all(command('SUBSCRIBE', ...names))).toHaveLength(10_000)
    expect(await talk.ask('SUBSCRIBE', 'c1')).toEqual(['subscribe', 'c1', 10_000])
    const refusal =
      'ERR subscribing: there would be 10001 subscriptions, and a client may have 10000; use a pattern, or fewer channels'
    expect(await talk.ask('SUBSCRIBE', 'one more')).toEqual(new ReplyError(refusal))
    expect(await talk.ask('PSUBSCRIBE', 'one more')).toEqual(new ReplyError(refusal))
    expect(talk.stats.subscriptions).toBe(10_000)
  })

  test('the names have a bound in bytes, which the error names', async () => {
    const talk = new Talk()
    const long = 'x'.repeat(500_000)
    await talk.all(command('SUBSCRIBE', `1${long}`, `2${long}`))
    const refusal =
      'ERR subscribing: there would be 1500003 bytes of names, and a client may have 1048576; use a pattern, or fewer channels'
    expect(await talk.ask('SUBSCRIBE', `3${long}`)).toEqual(new ReplyError(refusal))
    expect(await talk.ask('SUBSCRIBE', `2${long}`)).toEqual(['subscribe', `2${long}`, 2])
    await talk.all(command('UNSUBSCRIBE'))
    expect(await talk.ask('SUBSCRIBE', `3${long}`)).toEqual(['subscribe', `3${long}`, 1])
  })

  test('the number of subscriptions has a bound for the instance, which the error names', async () => {
    const talk = new Talk()
    talk.stats.addSubscriptions(99_999)
    expect(await talk.ask('SUBSCRIBE', 'a')).toEqual(['subscribe', 'a', 1])
    expect(await talk.ask('SUBSCRIBE', 'b')).toEqual(
      new ReplyError(
        'ERR subscribing: there would be 100001 subscriptions, and an instance may have 100000; use a pattern, or fewer channels',
      ),
    )
  })

  test('patterns have bounds, and a command that passes one subscribes to none', async () => {
    const talk = new Talk()
    const long = 'x'.repeat(1_025)
    expect(await talk.ask('PSUBSCRIBE', 'a', long)).toEqual(
      new ReplyError('ERR comparing with the pattern: it is longer than 1024 bytes; use a simpler one'),
    )
    expect(talk.stats.subscriptions + talk.store.changes.watches).toBe(0)
    await talk.all(command('PSUBSCRIBE', ...Array.from({ length: 999 }, (_, index) => `p${index}`)))
    expect(await talk.ask('PSUBSCRIBE', 'p1', 'q', 'r')).toEqual(
      new ReplyError(
        'ERR PSUBSCRIBE: 1000 other patterns are subscribed to already, the most that there may be; use fewer patterns, or SUBSCRIBE',
      ),
    )
    expect(talk.stats.subscriptions).toBe(999)
    expect(await talk.ask('PSUBSCRIBE', 'q')).toEqual(['psubscribe', 'q', 1_000])
  })

  test('of a store that has failed, the error says so and nothing is left', async () => {
    const talk = new Talk()
    talk.store.changes.error = new LatchkeyError('store_failed', 'Watching: the store has failed')
    expect(await talk.ask('SUBSCRIBE', 'a')).toEqual(
      new ReplyError('LATCHKEY store_failed Watching: the store has failed'),
    )
    talk.store.changes.error = undefined
    expect(await talk.ask('SUBSCRIBE', 'a')).toEqual(['subscribe', 'a', 1])
    expect(talk.store.changes.watches).toBe(1)
  })

  test('the reply comes when changes are watched', async () => {
    for (const words of [
      ['SUBSCRIBE', 'a'],
      ['PSUBSCRIBE', 'a'],
      ['CLIENT', 'TRACKING', 'ON'],
    ]) {
      const talk = await talkOfResp3()
      const opening = Promise.withResolvers<void>()
      talk.store.changes.opening = opening.promise
      talk.session.received(new Uint8Array(command(...words)))
      expect(await talk.pushed()).toEqual([])
      opening.resolve()
      expect(await talk.pushed()).toHaveLength(1)
      expect(talk.store.changes.watches).toBe(1)
    }
  })

  test('nothing is left of a client that vanishes while its subscription begins', async () => {
    const talk = new Talk()
    const opening = Promise.withResolvers<void>()
    talk.store.changes.opening = opening.promise
    talk.session.received(new Uint8Array(command('SUBSCRIBE', 'a')))
    talk.session.close()
    opening.resolve()
    await talk.pushed()
    expect(talk.store.changes.watches).toBe(0)
    expect(talk.stats.subscriptions).toBe(0)
  })

  test('subscribers go with their connections', async () => {
    const talk = new Talk()
    await talk.ask('SUBSCRIBE', 'a', 'b')
    await talk.ask('PSUBSCRIBE', 'c')
    expect(talk.store.changes.watches).toBe(1)
    talk.session.close()
    expect(talk.store.changes.watches).toBe(0)
    expect(talk.stats.subscriptions).toBe(0)
  })
})

test('a key of a format is written as its text', async () => {
  const store = new RespFakeStore(defineStore({ key: 'int64', input: 'raw' }))
  const talk = await talkOfResp3(store)
  await talk.ask('SUBSCRIBE', '__keyspace@0__:7', '__keyevent@0__:set')
  await talk.ask('PSUBSCRIBE', '*:7')
  const key = new Uint8Array([0, 0, 0, 0, 0, 0, 0, 7])
  store.change(key, 'x')
  store.change(new Uint8Array([0, 0, 0, 0, 0, 0, 0, 8]), undefined)
  expect(await talk.pushed()).toEqual([
    new Push(['message', '__keyspace@0__:7', 'set']),
    new Push(['pmessage', '*:7', '__keyspace@0__:7', 'set']),
    new Push(['message', '__keyevent@0__:set', '7']),
  ])
  expect(await talk.ask('SUBSCRIBE', '__keyspace@0__:seven')).toBeInstanceOf(ReplyError)
})
