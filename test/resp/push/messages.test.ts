import { describe, expect, test } from 'bun:test'
import { Turns } from '../../../lib/turns.ts'
import { Push, repliesIn, type Reply } from '../../support/resp/replies.ts'
import { Talk } from '../../support/resp/talk.ts'
import { until } from '../../support/until.ts'

const a = '__keyspace@0__:a'

async function subscriber(...channels: string[]): Promise<Talk> {
  const talk = new Talk()
  await talk.ask('HELLO', '3')
  await talk.ask('SUBSCRIBE', ...channels)
  talk.output.take()
  return talk
}

async function patternSubscriber(...patterns: string[]): Promise<Talk> {
  const talk = new Talk()
  await talk.ask('HELLO', '3')
  await talk.ask('PSUBSCRIBE', ...patterns)
  talk.output.take()
  return talk
}

function messages(replies: readonly Reply[]): string[] {
  return replies.map((reply) => (reply as Push).parts.join(' '))
}

describe('messages', () => {
  test('say what has happened to a key, in RESP2 and RESP3', async () => {
    const talk = await subscriber(a)
    talk.store.change('a', 'x')
    talk.store.change('b', 'x')
    expect(await talk.pushed()).toEqual([new Push(['message', a, 'set'])])
    talk.store.change('a', undefined)
    expect(await talk.pushed()).toEqual([new Push(['message', a, 'del'])])
    const old = new Talk()
    await old.ask('SUBSCRIBE', a)
    old.store.change('a', 'x')
    expect(await old.pushed()).toEqual([['message', a, 'set']])
  })

  test('say which key was set or deleted', async () => {
    const talk = await subscriber('__keyevent@0__:set', '__keyevent@0__:del', '__keyevent@0__:expired')
    talk.store.change('a', 'x')
    talk.store.change('b', undefined)
    expect(messages(await talk.pushed())).toEqual(['message __keyevent@0__:set a', 'message __keyevent@0__:del b'])
  })

  test.each([
    ['__keyspace@0__:user:*', ['pmessage __keyspace@0__:user:* __keyspace@0__:user:1 set']],
    ['__keyspace@*__:user:?', ['pmessage __keyspace@*__:user:? __keyspace@0__:user:1 set']],
    ['__keyevent@0__:*', ['pmessage __keyevent@0__:* __keyevent@0__:set user:1']],
    ['*', ['pmessage * __keyspace@0__:user:1 set', 'pmessage * __keyevent@0__:set user:1']],
    ['__keyspace@0__:User:*', []],
    ['__keyspace@1__:*', []],
    ['user:*', []],
    ['[^_]*', []],
  ])('of the pattern %s', async (pattern, expected) => {
    const talk = await patternSubscriber(pattern)
    talk.store.change('user:1', 'x')
    expect(messages(await talk.pushed())).toEqual(expected)
  })

  test('end with the subscription', async () => {
    const talk = await subscriber(a, '__keyspace@0__:b')
    await talk.ask('UNSUBSCRIBE', a)
    talk.store.change('a', 'x')
    talk.store.change('b', 'x')
    expect(messages(await talk.pushed())).toEqual(['message __keyspace@0__:b set'])
  })

  test('share turns with commands', async () => {
    let now = 0
    // Each look at the clock finds that the turn is over.
    const talk = new Talk({ turns: new Turns(() => (now += 3)) })
    await talk.ask('PSUBSCRIBE', '__keyspace@0__:*')
    for (let count = 0; count < 100; count++) talk.store.change(`key ${count}`, 'x')
    for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setImmediate(resolve))
    let received = repliesIn(talk.output.take()).replies.length
    expect(received).toBeLessThan(20)
    await until('all have come', () => {
      received += repliesIn(talk.output.take()).replies.length
      return received >= 100
    })
    expect(received).toBe(100)
  })

  test('reach thousands of clients', async () => {
    const talk = await subscriber(a)
    const others = Array.from({ length: 9_999 }, () => talk.open())
    for (const other of others) other.received(new Uint8Array(Buffer.from(`SUBSCRIBE ${a}\r\n`)))
    await talk.pushed()
    talk.store.change('a', 'x')
    const pushed = await talk.pushed()
    expect(pushed).toHaveLength(10_000)
    for (const other of others) other.close()
    talk.session.close()
    expect(talk.store.changes.watches).toBe(0)
    expect(talk.context.notifier.queues.bytes).toBe(0)
  })
})

describe('a client that takes nothing', () => {
  test('gets the last message of each kind when it takes something', async () => {
    const talk = await subscriber('__keyspace@0__:a', '__keyevent@0__:set')
    talk.output.bytes = 20_000
    for (let round = 0; round < 1_000; round++) {
      talk.store.change('a', 'x')
      talk.store.change('b', 'x')
      talk.store.change('a', undefined)
    }
    expect(await talk.pushed()).toEqual([])
    talk.output.bytes = 0
    talk.session.proceed()
    const pushed = messages(await talk.pushed())
    expect(pushed.toSorted()).toEqual([
      'message __keyevent@0__:set a',
      'message __keyevent@0__:set b',
      'message __keyspace@0__:a del',
      'message __keyspace@0__:a set',
    ])
    expect(pushed.indexOf('message __keyspace@0__:a set')).toBeLessThan(pushed.indexOf('message __keyspace@0__:a del'))
    expect(talk.context.notifier.queues.bytes).toBe(0)
  })

  test('is closed when more than the bound waits for it', async () => {
    const talk = await patternSubscriber('__keyspace@0__:*')
    talk.output.bytes = 20_000
    for (let round = 0; round < 4_000; round++) talk.store.change(`key ${round}`, 'x')
    for (let turn = 0; turn < 3; turn++) await talk.pushed()
    expect(talk.context.notifier.queues.bytes).toBeGreaterThan(800_000)
    expect(talk.session.isOver).toBe(false)
    for (let round = 4_000; round < 6_000; round++) talk.store.change(`key ${round}`, 'x')
    await until('it is closed', () => talk.session.isOver)
    expect(talk.session.fault).toBe('it did not take the messages of its subscriptions')
    expect(talk.context.notifier.queues.bytes).toBe(0)
  })

  test('is closed first when too much waits for all clients', async () => {
    const talk = await patternSubscriber('__keyspace@0__:a*')
    talk.output.bytes = 20_000
    const others = Array.from({ length: 100 }, () => talk.open())
    for (const other of others) other.received(new Uint8Array(Buffer.from('PSUBSCRIBE *\r\n')))
    await talk.pushed()
    talk.store.change('a', 'x')
    for (let round = 0; round < 3_500; round++) talk.store.change(`key ${round}`, 'x')
    await until('one is closed', () => others.some(({ isOver }) => isOver))
    expect(talk.context.notifier.queues.bytes).toBeLessThanOrEqual(67_108_864)
    expect(talk.session.isOver).toBe(false)
    for (const other of others) other.close()
  })
})

test('a pattern that takes too long closes its subscribers, and no one else', async () => {
  const talk = await patternSubscriber(`__keyspace@0__:*${'a'.repeat(400)}b`)
  const other = talk.open()
  other.received(new Uint8Array(Buffer.from('PSUBSCRIBE __keyspace@0__:*\r\n')))
  await talk.pushed()
  for (let round = 0; round < 30; round++) talk.store.change('a'.repeat(3_000) + round, 'x')
  await talk.pushed()
  expect(talk.session.fault).toBe('its pattern takes too long to compare')
  expect(other.isOver).toBe(false)
})

test('comparing a change with many patterns shares turns with commands', async () => {
  let now = 0
  const talk = new Talk({ turns: new Turns(() => (now += 3)) })
  const patterns = Array.from({ length: 50 }, (_, index) => `__keyspace@0__:*${'a'.repeat(200)}${index}`)
  await talk.ask('PSUBSCRIBE', ...patterns, '__keyspace@0__:*')
  talk.output.take()
  talk.store.change('a'.repeat(600), 'x')
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve))
  // A message is sent after the last comparison.
  expect(repliesIn(talk.output.take()).replies).toEqual([])
  await until('the message comes', () => repliesIn(talk.output.take()).replies.length === 1)
})

test('a subscriber is closed when changes were missed, and not when a partition has moved', async () => {
  const talk = await subscriber(a)
  talk.store.changes.change('moved')
  await talk.pushed()
  expect(talk.session.isOver).toBe(false)
  talk.store.changes.change('missed')
  await talk.pushed()
  expect(talk.session.fault).toBe('changes were missed that its subscriptions name')
})
