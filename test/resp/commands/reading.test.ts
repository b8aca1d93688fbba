import { describe, expect, test } from 'bun:test'
import { definitionOfFormats } from '../../../lib/definition/index.ts'
import { LatchkeyError } from '../../../lib/errors.ts'
import { RespFakeStore } from '../../support/resp/fake-store.ts'
import { command, repliesIn, ReplyError } from '../../support/resp/replies.ts'
import { Talk } from '../../support/resp/talk.ts'
import { until } from '../../support/until.ts'

function filled(): Talk {
  const talk = new Talk()
  talk.store.put('a', 'one')
  talk.store.put('b', '')
  talk.store.put('ü', 'zwei')
  return talk
}

describe('lookups', () => {
  test.each([
    [['GET', 'a'], 'one'],
    [['get', 'ü'], 'zwei'],
    [['GET', 'b'], ''],
    [['GET', 'none'], null],
    [
      ['MGET', 'a', 'none', 'b', 'a'],
      ['one', null, '', 'one'],
    ],
    [['EXISTS', 'a'], 1],
    [['EXISTS', 'a', 'a', 'none', 'b'], 3],
    [['STRLEN', 'a'], 3],
    [['STRLEN', 'none'], 0],
    [['GETRANGE', 'a', '0', '-1'], 'one'],
    [['GETRANGE', 'a', '1', '1'], 'n'],
    [['GETRANGE', 'a', '-2', '-1'], 'ne'],
    [['GETRANGE', 'a', '-2', '-3'], ''],
    [['GETRANGE', 'a', '0', '99999999999'], 'one'],
    [['GETRANGE', 'a', '-100', '-3'], 'o'],
    [['GETRANGE', 'a', '5', '9'], ''],
    [['GETRANGE', 'none', '0', '-1'], ''],
    [['TYPE', 'a'], 'string'],
    [['TYPE', 'none'], 'none'],
    [['TTL', 'a'], -1],
    [['PTTL', 'none'], -2],
  ])('%j', async (words, reply) => {
    expect(await filled().ask(...words)).toEqual(reply)
  })

  test.each(['STRLEN a', 'TYPE a', 'TTL a', 'PTTL a', 'GETRANGE a 0 0'])(
    '%s keeps no memory of a large value, and many let other clients have their turn',
    async (words) => {
      const talk = new Talk()
      const values: Uint8Array[] = []
      talk.store.onGet = () => {
        const value = new Uint8Array(1_000_000)
        values.push(value)
        return { value, partition: 0, offset: 1, timestamp: 1 }
      }
      const commands = Array.from({ length: 100 }, () => command(...words.split(' ')))
      talk.session.received(new Uint8Array(Buffer.concat(commands)))
      expect(talk.session.isWaiting).toBeTrue()
      expect(values.length).toBeLessThan(20)
      expect(await talk.all('')).toHaveLength(100)
      expect(values.filter(({ length }) => length > 0)).toBeEmpty()
    },
  )

  test('RESP3 has a null of its own', async () => {
    const talk = filled()
    await talk.ask('HELLO', '3')
    talk.session.received(new Uint8Array(command('GET', 'none')))
    expect(talk.output.take().toString()).toBe('_\r\n')
    talk.session.received(new Uint8Array(command('MGET', 'none', 'a')))
    expect(talk.output.take().toString()).toBe('*2\r\n_\r\n$3\r\none\r\n')
  })

  test('RESP2 has an empty string for it', () => {
    const talk = filled()
    talk.session.received(new Uint8Array(command('GET', 'none')))
    expect(talk.output.take().toString()).toBe('$-1\r\n')
  })

  test.each([
    [['GET'], "ERR wrong number of arguments for 'get' command"],
    [['GET', 'a', 'b'], "ERR wrong number of arguments for 'get' command"],
    [['MGET'], "ERR wrong number of arguments for 'mget' command"],
    [['GETRANGE', 'a', 'x', '1'], 'ERR value is not an integer or out of range'],
    [['GETRANGE', 'a', '1', '01'], 'ERR value is not an integer or out of range'],
  ])('%j is refused', async (words, text) => {
    expect(await filled().ask(...words)).toEqual(new ReplyError(text))
  })

  test('values of any length come whole', async () => {
    const talk = new Talk()
    for (const length of [99, 100, 999, 1_000, 16_384, 16_385, 65_535, 65_536, 1_000_000]) {
      talk.store.put(`v${length}`, 'x'.repeat(length))
      expect(await talk.ask('GET', `v${length}`)).toBe('x'.repeat(length))
    }
    expect(await talk.ask('MGET', 'v16384', 'v1000000', 'v99')).toEqual(
      [16_384, 1_000_000, 99].map((length) => 'x'.repeat(length)),
    )
  })
})

describe('the store cannot answer', () => {
  const progress = { phase: 'recovering', percent: 42.7, remainingSeconds: 3 }

  test.each([
    [
      new LatchkeyError('recovering', 'Reading store orders: it is still recovering', { details: { progress } }),
      'LOADING Latchkey is loading the dataset in memory (42 %). Reading store orders: it is still recovering',
      'recovering',
    ],
    [
      new LatchkeyError('replica_recovering', 'Reading store orders: it is filling'),
      'LOADING Latchkey is loading the dataset in memory. Reading store orders: it is filling',
      'recovering',
    ],
    [
      new LatchkeyError('partition_not_held', 'Reading store orders: partition 3 is not held'),
      'LATCHKEY partition_not_held Reading store orders: partition 3 is not held',
      'partition_not_held',
    ],
    [new LatchkeyError('internal', 'a\r\nsecret'), 'LATCHKEY internal Internal error', 'failed'],
    [new Error('a secret'), 'LATCHKEY internal Internal error', 'failed'],
  ] as const)('%s', async (thrown, text, outcome) => {
    for (const isLater of [false, true]) {
      const talk = new Talk()
      talk.store.onGet = () => {
        if (isLater) return Promise.reject(thrown)
        throw thrown
      }
      expect(await talk.ask('GET', 'a')).toEqual(new ReplyError(text))
      expect(await talk.ask('MGET', 'a', 'b')).toEqual(new ReplyError(text))
      expect(await talk.ask('PING')).toBe('PONG')
      expect(talk.stats.lookups(outcome)).toBeGreaterThan(1)
    }
  })
})

test('lookups are counted by outcome, and commands by name', async () => {
  const talk = filled()
  await talk.all(Buffer.concat([command('GET', 'a'), command('GET', 'none'), command('MGET', 'a', 'b', 'x')]))
  expect(talk.stats.lookups('found')).toBe(3)
  expect(talk.stats.lookups('not_found')).toBe(2)
  const counted = talk.stats.commands.map((name, index) => [name, talk.stats.countOf(index)])
  expect(counted.filter(([, count]) => count !== 0)).toEqual([
    ['get', 2],
    ['mget', 1],
  ])
})

test('many keys have a bound, and so have their values', async () => {
  const talk = new Talk()
  const reply = await talk.ask('MGET', ...Array.from({ length: 10_001 }, () => 'a'))
  expect(reply).toEqual(new ReplyError('ERR reading 10001 keys: a command may have 10000; send several commands'))
  talk.store.put('large', 'x'.repeat(6_000_000))
  expect(await talk.ask('MGET', 'large', 'large')).toHaveLength(2)
  const refused = 'ERR reading many keys: their values have more than 16777216 bytes; ask for fewer keys'
  expect(await talk.ask('MGET', 'large', 'large', 'large')).toEqual(new ReplyError(refused))
  expect(await talk.ask('EXISTS', 'large', 'large', 'large')).toBe(3)
})

test('keys and values are text when they have a format', async () => {
  const definition = definitionOfFormats({
    key: { format: 'int64' },
    value: { format: 'int32' },
    store: { format: 'int32' },
  })
  const talk = new Talk({}, new RespFakeStore(definition))
  talk.store.put(Uint8Array.fromHex('0000000000000007'), Uint8Array.fromHex('0000002a'))
  talk.store.put(Uint8Array.fromHex('0000000000000008'), Uint8Array.fromHex('2a'))
  expect(await talk.ask('GET', '7')).toBe('42')
  expect(await talk.ask('MGET', '7', '9')).toEqual(['42', null])
  expect(await talk.ask('STRLEN', '7')).toBe(2)
  expect(((await talk.ask('GET', 'x')) as ReplyError).text).toStartWith('LATCHKEY invalid_key Reading the key: ')
  expect(((await talk.ask('GET', '8')) as ReplyError).text).toStartWith(
    'LATCHKEY value_undecodable Rendering the value',
  )
  expect(await talk.ask('SCAN', '0')).toEqual([String(2 ** 32), ['7', '8']])
  expect(await talk.ask('KEYS', '7*')).toEqual(['7'])
})

test('replies are in the order of the commands, though some lookups wait', async () => {
  const talk = new Talk()
  const waits = Array.from({ length: 20 }, (_, index) => index % 3 === 0)
  for (const [index] of waits.entries()) talk.store.put(`k${index}`, `v${index}`)
  const { onGet } = talk.store
  talk.store.onGet = (key) => {
    const index = Number(Buffer.from(key).toString().slice(1))
    const copy = new Uint8Array(key)
    return waits[index] ? new Promise((resolve) => setImmediate(() => resolve(onGet(copy)))) : onGet(key)
  }
  const gets = waits.map((_, index) => command('GET', `k${index}`))
  expect(await talk.all(Buffer.concat(gets))).toEqual(waits.map((_, index) => `v${index}`))
})

test('commands that arrive during a wait do not disturb the key', async () => {
  const talk = new Talk(undefined, new RespFakeStore())
  talk.store.put('first', '1')
  talk.store.put('other', '2')
  const { onGet } = talk.store
  const waiting = Promise.withResolvers<void>()
  talk.store.onGet = async (key) => {
    await waiting.promise
    return onGet(key)
  }
  const bytes = Buffer.concat([command('GET', 'first'), command('GET', 'other')])
  for (const byte of bytes) talk.session.received(new Uint8Array([byte]))
  waiting.resolve()
  expect(await talk.all(command('GET', 'none'))).toEqual(['1', '2', null])
})

test('a long pipeline lets other clients have their turn', async () => {
  const talk = filled()
  const pipeline = new Uint8Array(Buffer.concat(Array.from({ length: 5_000 }, () => command('GET', 'a'))))
  const { session } = talk
  session.received(pipeline)
  expect(session.isWaiting).toBe(true)
  expect(talk.stats.lookups('found')).toBeLessThan(2_500)
  await until('it is answered', () => !session.isWaiting)
  expect(repliesIn(talk.output.take()).replies).toEqual(Array.from({ length: 5_000 }, () => 'one'))
})

test('pipelined commands are answered with one write', () => {
  const talk = filled()
  talk.session.received(new Uint8Array(Buffer.concat(Array.from({ length: 500 }, () => command('GET', 'a')))))
  expect(talk.output.writes).toBe(1)
})
