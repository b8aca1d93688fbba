import { describe, expect, test } from 'bun:test'
import { LatchkeyError } from '../../../lib/errors.ts'
import { command, type Reply, ReplyError } from '../../support/resp/replies.ts'
import { Talk } from '../../support/resp/talk.ts'
import { openMapStore } from '../../support/store/map-store.ts'
import { until } from '../../support/until.ts'

function filled(count = 300): Talk {
  const talk = new Talk()
  for (let index = 0; index < count; index++) {
    const kind = index % 2 === 0 ? 'user' : 'order'
    talk.store.put(`${kind}:${index}`, 'x', { partition: index % 3 === 0 ? 1 : 0 })
  }
  return talk
}

/** All keys of a walk, and the number of its pages. */
async function walk(talk: Talk, ...options: string[]): Promise<{ keys: Reply[]; pages: number }> {
  const keys: Reply[] = []
  let pages = 0
  let cursor: Reply = '0'
  do {
    const [next, found] = (await talk.ask('SCAN', cursor as string, ...options)) as [Reply, Reply[]]
    keys.push(...found)
    cursor = next
    pages++
  } while (cursor !== '0')
  return { keys, pages }
}

describe('SCAN', () => {
  test('returns each key once', async () => {
    const { keys, pages } = await walk(filled())
    expect(new Set(keys).size).toBe(300)
    expect(keys).toHaveLength(300)
    expect(pages).toBe(30)
  })

  test('returns those that a pattern matches, of all pages', async () => {
    const talk = filled()
    expect((await walk(talk, 'MATCH', 'user:*', 'COUNT', '40')).keys).toHaveLength(150)
    expect((await walk(talk, 'match', '*:1?')).keys).toHaveLength(10)
    expect((await walk(talk, 'COUNT', '99999999')).keys).toHaveLength(300)
    expect((await walk(talk, 'MATCH', 'none*')).keys).toEqual([])
  })

  test('knows one type', async () => {
    const talk = filled(10)
    expect((await walk(talk, 'TYPE', 'STRING')).keys).toHaveLength(10)
    expect(await talk.ask('SCAN', '0', 'TYPE', 'hash')).toEqual(['0', []])
  })

  test('continues from a cursor of another process', async () => {
    const talk = filled()
    talk.store.heldPartitions = [1]
    expect((await talk.ask('SCAN', String(2 ** 32 + 1))) as Reply[]).toHaveLength(2)
    expect(await talk.ask('SCAN', String(5 * 2 ** 32))).toEqual(['0', []])
    expect(await talk.ask('SCAN', String(2 ** 60))).toEqual(['0', []])
    expect(((await talk.ask('SCAN', '7')) as [string, string[]])[1]).toHaveLength(10)
  })

  test.each([
    [['SCAN', 'x'], 'ERR invalid cursor'],
    [['SCAN', '-1'], 'ERR invalid cursor'],
    [['SCAN', '0', 'MATCH'], 'ERR syntax error'],
    [['SCAN', '0', 'COUNT', '0'], 'ERR syntax error'],
    [['SCAN', '0', 'COUNT', 'x'], 'ERR value is not an integer or out of range'],
    [['SCAN', '0', 'NONE', 'x'], 'ERR syntax error'],
    [
      ['SCAN', '0', 'MATCH', 'x'.repeat(1_025)],
      'ERR comparing with the pattern: it is longer than 1024 bytes; use a simpler one',
    ],
  ])('%j is refused', async (words, text) => {
    expect(await filled(1).ask(...words)).toEqual(new ReplyError(text))
  })

  test('reports a partition that is incomplete', async () => {
    const talk = filled()
    talk.store.onChunk = () => {
      throw new LatchkeyError('replica_recovering', 'Walking store orders: partition 0 is filling')
    }
    const text = 'LOADING Latchkey is loading the dataset in memory. Walking store orders: partition 0 is filling'
    expect(await talk.ask('SCAN', '0')).toEqual(new ReplyError(text))
  })

  test('walks the maps of a store', async () => {
    const { store, put, publish } = await openMapStore(3, [{ primaries: [0, 1, 2] }])
    for (let index = 0; index < 1_000; index++) put(index % 3, `key ${index}`, 'x')
    await publish()
    const talk = new Talk({}, store as never)
    const { keys } = await walk(talk, 'COUNT', '90')
    expect(new Set(keys)).toEqual(new Set(Array.from({ length: 1_000 }, (_, index) => `key ${index}`)))
    expect(keys).toHaveLength(1_000)
    expect((await walk(talk, 'MATCH', 'key 99*')).keys.toSorted()).toEqual(
      ['key 99', ...Array.from({ length: 10 }, (_, index) => `key 99${index}`)].toSorted(),
    )
    expect(await talk.ask('DBSIZE')).toBe(1_000)
    expect(await talk.ask('KEYS', 'key 5')).toEqual(['key 5'])
    expect(await talk.ask('MGET', 'key 1', 'none')).toEqual(['x', null])
    expect(await talk.ask('EXISTS', 'key 1', 'key 2', 'none')).toBe(2)
    await store.close()
  })
})

describe('KEYS', () => {
  test('returns what a pattern matches', async () => {
    const talk = filled()
    expect(await talk.ask('KEYS', '*')).toHaveLength(300)
    expect(await talk.ask('KEYS', 'user:2')).toEqual(['user:2'])
    expect(await talk.ask('KEYS', '')).toEqual([])
  })

  test('is refused for more keys than its bound', async () => {
    const text = 'ERR KEYS: more than 10000 keys or 1048576 bytes of them match; use SCAN, or a narrower pattern'
    expect(await filled(10_001).ask('KEYS', '*')).toEqual(new ReplyError(text))
  })

  test('lets others have their turn, and a few at a time walk', async () => {
    const talk = filled()
    const gate = Promise.withResolvers<void>()
    talk.store.onChunk = () => gate.promise
    const walkers = Array.from({ length: 4 }, () => {
      const { session } = talk
      session.received(new Uint8Array(command('KEYS', '*')))
      talk.session = talk.open()
      return session
    })
    const text = 'ERR KEYS: 4 others are in progress; use SCAN, or try again later'
    expect(await talk.ask('KEYS', '*')).toEqual(new ReplyError(text))
    expect(await talk.ask('PING')).toBe('PONG')
    gate.resolve()
    await until('all have walked', () => walkers.every(({ isWaiting }) => !isWaiting))
    talk.output.take()
    expect(await talk.ask('KEYS', '*')).toHaveLength(300)
  })
})
