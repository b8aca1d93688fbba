import { describe, expect, test } from 'bun:test'
import { command, type Reply, ReplyError } from '../../support/resp/replies.ts'
import { Talk } from '../../support/resp/talk.ts'

const wrongPassword = new ReplyError('WRONGPASS invalid username-password pair or user is disabled.')
const noAuth = new ReplyError('NOAUTH Authentication required.')
const shards = new ReplyError('ERR SSUBSCRIBE: shard channels are of Redis Cluster, which this is not; use SUBSCRIBE')
const ok = 'OK'

function noClientSubcommand(found: string): ReplyError {
  const known =
    'ID, GETNAME, SETNAME, SETINFO, INFO, NO-EVICT, NO-TOUCH, REPLY, TRACKING, CACHING, TRACKINGINFO, GETREDIR'
  return new ReplyError(`ERR unknown subcommand '${found}'. CLIENT has ${known}.`)
}

describe('small commands', () => {
  test.each([
    [['PING'], 'PONG'],
    [['PING', 'a b'], 'a b'],
    [['ECHO', 'ä'], 'ä'],
    [['SELECT', '0'], ok],
    [['SELECT', '1'], new ReplyError('ERR DB index is out of range')],
    [['SELECT', 'x'], new ReplyError('ERR value is not an integer or out of range')],
    [['CLIENT', 'GETNAME'], null],
    [
      ['CLIENT', 'SETNAME', 'a b'],
      new ReplyError('ERR Client names cannot contain spaces, newlines or special characters.'),
    ],
    [['CLIENT', 'SETINFO', 'LIB-NAME', 'x(1)'], ok],
    [['CLIENT', 'SETINFO', 'other', 'x'], new ReplyError("ERR Unrecognized option 'other'")],
    [['CLIENT', 'SETINFO', 'lib-ver'], new ReplyError("ERR wrong number of arguments for 'client|setinfo' command")],
    [['CLIENT', 'NO-EVICT', 'ON'], ok],
    [['CLIENT', 'KILL', 'x'], noClientSubcommand('KILL')],
    [['CLIENT', 'KILL', 'x'], noClientSubcommand('KILL')],
    [
      ['CONFIG', 'GET', 'save'],
      ['save', ''],
    ],
    [
      ['CONFIG', 'GET', 'max*', 'appendonly'],
      ['appendonly', 'no', 'maxclients', '0', 'maxmemory', '0', 'maxmemory-policy', 'noeviction'],
    ],
    [
      ['CONFIG', 'GET', 'a'.repeat(1_025)],
      new ReplyError('ERR comparing with the pattern: it is longer than 1024 bytes; use a simpler one'),
    ],
    [['CONFIG', 'SET', 'save', ''], new ReplyError("ERR unknown subcommand 'SET'. CONFIG has GET.")],
    [['COMMAND', 'COUNT'], 26],
    [['COMMAND', 'NONE'], new ReplyError("ERR unknown subcommand 'NONE'. COMMAND has INFO, DOCS, COUNT, LIST.")],
    [['HGET', 'a', 'b\r\nc'], new ReplyError("ERR unknown command 'HGET', with args beginning with: 'a' 'b c' ")],
    [['x'.repeat(200)], new ReplyError(`ERR unknown command '${'x'.repeat(128)}', with args beginning with: `)],
    [['SET', 'a', 'b'], new ReplyError("READONLY You can't write against a read only replica.")],
    [['FLUSHALL'], new ReplyError("READONLY You can't write against a read only replica.")],
    [['SSUBSCRIBE', 'a'], shards],
    [
      ['PUBLISH', 'a', 'b'],
      new ReplyError('ERR PUBLISH: messages come from changes of the topic alone; produce to the topic'),
    ],
    [
      ['AUTH', 'x'],
      new ReplyError(
        'ERR AUTH <password> called without any password configured for the default user. Are you sure your configuration is correct?',
      ),
    ],
    [['AUTH', 'default', 'x'], ok],
    [['AUTH', 'other', 'x'], wrongPassword],
    [['AUTH', 'a', 'b', 'c'], new ReplyError('ERR syntax error')],
    [['constructor'], new ReplyError("ERR unknown command 'constructor', with args beginning with: ")],
    [['CLIENT', 'constructor'], noClientSubcommand('constructor')],
  ])('%j', async (words, reply) => {
    expect(await new Talk().ask(...words)).toEqual(reply)
  })

  test.each(['CONFIG GET', 'COMMAND INFO', 'COMMAND DOCS'])('%s has a bound on its names', async (name) => {
    const words = name.split(' ')
    const names = Array.from({ length: 128 }, () => 'none')
    expect(await new Talk().ask(...words, ...names)).not.toBeInstanceOf(ReplyError)
    const refusal = new ReplyError('ERR reading 129 names: a command may have 128; send several commands')
    expect(await new Talk().ask(...words, ...names, 'none')).toEqual(refusal)
  })

  test('a name that a client has set is kept, and shown', async () => {
    const talk = new Talk()
    await talk.ask('CLIENT', 'SETNAME', 'cart')
    expect(await talk.ask('CLIENT', 'GETNAME')).toBe('cart')
    const line = await talk.ask('CLIENT', 'INFO')
    expect(line).toMatch(/^id=1 addr=127\.0\.0\.1:50000 laddr=127\.0\.0\.1:6379 name=cart .*resp=2 /)
    expect(await talk.ask('CLIENT', 'ID')).toBe(1)
  })

  test('ids of several threads differ', () => {
    const ids = [0, 1, 2].flatMap((thread) => {
      const talk = new Talk({ thread, threads: 3 })
      return [talk.session.id, talk.open().id, talk.open().id]
    })
    expect(new Set(ids).size).toBe(9)
    expect(Math.min(...ids)).toBe(1)
  })
})

describe('HELLO', () => {
  test('greets in the protocol that was asked for', async () => {
    const talk = new Talk()
    const pairs = [
      ['server', 'redis'],
      ['version', '7.4.0'],
      ['proto', 2],
      ['id', 1],
      ['mode', 'standalone'],
      ['role', 'master'],
      ['modules', []],
    ] as const
    expect(await talk.ask('HELLO')).toEqual(pairs.flat() as Reply[])
    expect(await talk.ask('HELLO', '3', 'SETNAME', 'me')).toEqual(
      new Map(pairs.map(([name, value]) => [name, name === 'proto' ? 3 : value])) as never,
    )
    expect(await talk.ask('CLIENT', 'GETNAME')).toBe('me')
    expect(await talk.ask('CONFIG', 'GET', 'save')).toEqual(new Map([['save', '']]))
    expect(await talk.ask('RESET')).toBe('RESET')
    expect(await talk.ask('CLIENT', 'GETNAME')).toBeNull()
    expect(await talk.ask('CONFIG', 'GET', 'save')).toEqual(['save', ''])
  })

  test.each([
    [['HELLO', '4'], 'NOPROTO unsupported protocol version'],
    [['HELLO', 'x'], 'ERR Protocol version is not an integer or out of range'],
    [['HELLO', '3', 'AUTH', 'default'], "ERR Syntax error in HELLO option 'AUTH'"],
    [['HELLO', '3', 'SETNAME', 'a b'], 'ERR Client names cannot contain spaces, newlines or special characters.'],
  ])('%j is refused', async (words, text) => {
    const talk = new Talk()
    expect(await talk.ask(...words)).toEqual(new ReplyError(text))
    expect(await talk.ask('CONFIG', 'GET', 'save')).toEqual(['save', ''])
  })
})

describe('with a token', () => {
  test('nothing is answered without it', async () => {
    const talk = new Talk({ token: 'open sesame' })
    talk.store.put('a', 'secret')
    for (const words of [['GET', 'a'], ['PING'], ['SET', 'a', 'b'], ['NONE'], ['CLIENT', 'ID'], ['SCAN', '0']]) {
      expect(await talk.ask(...words)).toEqual(noAuth)
    }
    const hello = (await talk.ask('HELLO', '3')) as ReplyError
    expect(hello.text).toStartWith('NOAUTH HELLO must be called with the client already authenticated')
  })

  test.each([
    [['AUTH', 'open sesame']],
    [['AUTH', 'default', 'open sesame']],
    [['HELLO', '2', 'AUTH', 'default', 'open sesame']],
  ])('%j opens, and RESET closes', async (words) => {
    const talk = new Talk({ token: 'open sesame' })
    talk.store.put('a', 'secret')
    expect(await talk.ask(...words)).not.toBeInstanceOf(ReplyError)
    expect(await talk.ask('GET', 'a')).toBe('secret')
    await talk.ask('RESET')
    expect(await talk.ask('GET', 'a')).toEqual(noAuth)
  })

  test.each([
    [['AUTH', 'open sesam']],
    [['AUTH', 'other', 'open sesame']],
    [['HELLO', '3', 'AUTH', 'other', 'open sesame']],
    [['HELLO', '3', 'AUTH', 'default', '']],
  ])('%j does not', async (words) => {
    const talk = new Talk({ token: 'open sesame' })
    expect(await talk.ask(...words)).toEqual(wrongPassword)
    expect(await talk.ask('GET', 'a')).toEqual(noAuth)
  })

  test('a large command is refused before it has arrived', () => {
    const talk = new Talk({ token: 'open sesame' })
    expect(talk.now('*2000\r\n')).toEqual([new ReplyError('ERR Protocol error: unauthenticated multibulk length')])
    expect(talk.session.isOver).toBe(true)
  })
})

describe('the end of a connection', () => {
  test('is QUIT, and nothing behind it is answered', async () => {
    const talk = new Talk()
    expect(await talk.all(Buffer.concat([command('PING'), command('QUIT'), command('PING')]))).toEqual(['PONG', ok])
    expect(talk.session.isOver).toBe(true)
  })

  test.each(['POST / HTTP/1.1\r\n', 'GET a\r\nHost: localhost\r\nGET a\r\n', 'post x\r\nGET a\r\n'])(
    'is a line of HTTP: %j',
    async (text) => {
      const talk = new Talk()
      talk.store.put('a', 'x')
      expect((await talk.all(text)).filter((reply) => reply === 'x')).toHaveLength(text.startsWith('GET') ? 1 : 0)
      expect(talk.session.isOver).toBe(true)
    },
  )

  test('is what is no command, behind the replies to what was', async () => {
    const talk = new Talk()
    const bytes = Buffer.concat([command('PING'), Buffer.from('*1\r\n*1\r\n$4\r\nPING\r\n')])
    expect(await talk.all(bytes)).toEqual(['PONG', new ReplyError("ERR Protocol error: expected '$', got '*'")])
    expect(talk.session.isOver).toBe(true)
  })
})

test('INFO has what clients look for, and says that the store is loading', async () => {
  const talk = new Talk()
  const text = String(await talk.ask('INFO'))
  for (const line of ['redis_version:7.4.0', 'redis_mode:standalone', 'role:master', 'loading:0', 'db0:keys=6,']) {
    expect(text).toContain(line)
  }
  expect(text.split('\r\n').filter((line) => line.startsWith('# '))).toHaveLength(9)
  expect(String(await talk.ask('INFO', 'server', 'CLIENTS'))).toMatch(/^# Server\r\n[^#]*# Clients\r\n[^#]*$/)
  talk.store.state = { ...talk.store.state, state: 'recovering' }
  expect(await talk.ask('INFO', 'persistence')).toContain('loading:1\r\n')
})

test('COMMAND describes each command, for completion and for clients', async () => {
  const talk = new Talk()
  const all = (await talk.ask('COMMAND')) as unknown[][]
  expect(all).toHaveLength(26)
  expect((await talk.ask('COMMAND', 'INFO', 'get', 'none')) as unknown[]).toEqual([
    ['get', 2, ['readonly', 'fast'], 1, 1, 1, ['@string', '@read'], [], [], []],
    null,
  ])
  const docs = (await talk.ask('COMMAND', 'DOCS', 'get')) as unknown[]
  expect(docs[0]).toBe('get')
  expect(docs[1]).toContain('summary')
})
