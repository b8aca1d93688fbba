import { afterEach, describe, expect, test } from 'bun:test'
import { groupText } from '../../lib/group-protocol/describe-group.ts'
import { LatchkeyProcess } from '../support/binary/latchkey-process.ts'
import { type Ended, runLatchkey } from '../support/binary/run-latchkey.ts'
import { groupOf } from '../support/group/group-status.ts'
import { until } from '../support/until.ts'

let server: Bun.Server<undefined> | undefined

afterEach(() => server?.stop(true))

/** A store with given answers. */
function serve(fetch: (request: Request) => Response | Promise<Response>): string {
  server = Bun.serve({ port: 0, hostname: '127.0.0.1', fetch })
  return `http://127.0.0.1:${server.port}`
}

function ask(url: string, ...args: string[]): Promise<Ended> {
  return runLatchkey({ args: [...args, '--url', url, '--store-id', 'orders'] })
}

function problem(status: number, code: string, detail: string): Response {
  return new Response(JSON.stringify({ code, detail }), {
    status,
    headers: { 'content-type': 'application/problem+json' },
  })
}

describe('answers that are none', () => {
  test('nothing listens', async () => {
    const { exitCode, stderr, stdout } = await ask('http://127.0.0.1:9', 'get', 'a')
    expect({ exitCode, stdout }).toEqual({ exitCode: 3, stdout: '' })
    expect(stderr).toBe('latchkey: Asking http://127.0.0.1:9: nothing listens there; start the store, or give --url\n')
  })

  test('a problem is shown with its code, without what a terminal would obey', async () => {
    const url = serve(() => problem(503, 'recovering', 'Looking up: \u001b[2J 5 %'))
    const { exitCode, stderr } = await ask(url, 'get', 'a')
    expect({ exitCode, stderr }).toEqual({ exitCode: 3, stderr: 'latchkey: Looking up: \\u001b[2J 5 % (recovering)\n' })
  })

  test.each([
    [404, 'key_not_found', 1],
    [421, 'partition_not_held', 3],
  ])('an entry that is not there has the reason of a lookup: %p %p', async (status, code, exitCode) => {
    const entries = new Response(JSON.stringify({ key: 'a', code }))
    const url = serve(({ url: asked }) => (asked.includes('?keys=') ? entries : problem(status, code, 'The reason')))
    const { stdout, stderr, ...ended } = await ask(url, 'get', '--json', 'a')
    expect({ stdout, stderr, exitCode: ended.exitCode }).toEqual({
      stdout: '',
      stderr: `latchkey: The reason (${code})\n`,
      exitCode,
    })
  })

  test('the token goes to the store alone: a redirect is not followed', async () => {
    const seen: (string | null)[] = []
    const other = Bun.serve({
      port: 0,
      fetch: (request) => {
        seen.push(request.headers.get('authorization'))
        return new Response()
      },
    })
    try {
      const url = serve(() => Response.redirect(`http://127.0.0.1:${other.port}/`))
      const args = ['get', 'a', '--url', url]
      const { exitCode, stderr } = await runLatchkey({ args, settings: { STORE_ID: 'orders', SERVER_TOKEN: 'secret' } })
      expect(exitCode).toBe(3)
      expect(stderr).toContain('status 302, which is not of a store')
      expect(seen).toEqual([])
    } finally {
      await other.stop(true)
    }
  })

  test('a store without a name in the settings is asked for it once', async () => {
    const asked: string[] = []
    const url = serve(({ url: target }) => {
      const { pathname } = new URL(target)
      asked.push(pathname)
      return pathname === '/' ? Response.json({ id: 'or/ders', state: 'running' }) : new Response('7')
    })
    const args = ['get', 'a', '--url', url]
    expect(await runLatchkey({ args })).toEqual({ stdout: '7', stderr: '', exitCode: 0 })
    expect(asked).toEqual(['/', '/stores/or%2Fders'])
  })

  test('a server that does not name a store is none', async () => {
    const url = serve(() => new Response('<h1>nginx'))
    const stderr = `latchkey: Asking ${url}: the answer is not of a store\n`
    expect(await runLatchkey({ args: ['get', 'a', '--url', url] })).toEqual({ stdout: '', stderr, exitCode: 3 })
  })

  test('another server', async () => {
    const url = serve(() => new Response('<h1>nginx', { status: 404 }))
    expect(await ask(url, 'get', 'a')).toMatchObject({ exitCode: 3, stderr: expect.stringContaining('status 404') })
  })
})

describe('status', () => {
  const described = { id: 'orders', state: 'starting', recovery: null, details: [] }

  test.each([
    ['no broker', 'the store is starting; no broker', ['  no broker', '  recovered: the store is starting']],
    ['the topic is missing', 'the topic is missing', ['  recovered: the topic is missing']],
  ])('shows a reason once: %p %p', async (reason, why, expected) => {
    const conditions = [{ name: 'recovered', ok: false, reason: why }]
    const url = serve(() => Response.json({ ...described, reason, conditions }))
    const { stdout, exitCode } = await ask(url, 'status')
    expect(stdout.split('\n').slice(1, -3)).toEqual([...expected, '  0 keys in 0 partitions'])
    expect(exitCode).toBe(1)
  })
})

describe('status of a group', () => {
  const status = (group: object) => ({
    id: 'orders',
    state: 'running',
    recovery: null,
    conditions: [],
    details: [],
    group,
  })

  test('stands below the partitions', async () => {
    const url = serve(() => Response.json(status(groupOf())))
    const { stdout, exitCode } = await ask(url, 'status')
    expect(stdout).toEndWith(`LAG  KEYS\n\n${groupText(groupOf())}`)
    expect(exitCode).toBe(0)
  })

  test('of another server is none', async () => {
    const url = serve(() => Response.json(status({ ...groupOf(), members: [{ url: 7 }] })))
    expect(await ask(url, 'status')).toMatchObject({ exitCode: 3, stderr: expect.stringContaining('not of a store') })
  })
})

describe('dump', () => {
  const entries = '{"key":"a"}\n{"key":"b"}\n'

  test('prints the entries, and not the line that says that they are all', async () => {
    const url = serve(() => new Response(`${entries}{"end":true,"entries":2}\n`))
    expect(await ask(url, 'dump')).toEqual({ stdout: entries, stderr: '', exitCode: 0 })
  })

  test.each(['', '{"key":', '{"end":true,"en'])('an answer that ends in %p is reported as cut', async (rest) => {
    const url = serve(() => new Response(entries + rest))
    const { exitCode, stderr, stdout } = await ask(url, 'dump')
    expect(exitCode).toBe(3)
    expect(stdout).toStartWith('{"key":"a"}\n')
    expect(stderr).toContain('the answer was cut; entries are missing')
  })

  test('an answer in many pieces is the same', async () => {
    const bytes = new TextEncoder().encode(`${entries}{"end":true,"entries":2}\n`)
    const url = serve(() => {
      let at = 0
      const pull = async (controller: ReadableStreamDefaultController<Uint8Array>) => {
        await Bun.sleep(1)
        if (at === bytes.length) controller.close()
        else controller.enqueue(bytes.subarray(at, ++at))
      }
      return new Response(new ReadableStream({ pull }))
    })
    expect(await ask(url, 'dump')).toEqual({ stdout: entries, stderr: '', exitCode: 0 })
  })
})

describe('watch', () => {
  test('continues after the last id when the connection ends, also while the store recovers', async () => {
    const asked: string[] = []
    const bodies = [
      '{"type":"reset","id":"start"}\n{"type":"put","key":"a","value":{"n":1}}\n{"type":"place","id":"1~x"}\n',
      '{"type":"delete","key":"a","partition":0,"offset":3}\n',
    ]
    const url = serve((request) => {
      const { searchParams } = new URL(request.url)
      asked.push(searchParams.toString())
      if (asked.length === 2) return problem(503, 'recovering', 'Recovering')
      return new Response(bodies.shift() ?? '{"type":"place"}\n')
    })
    const args = ['watch', '--from-start', '--prefix', 'a', '--url', url, '--store-id', 'orders']
    const latchkey = await LatchkeyProcess.start({ args })
    try {
      await until('it has asked again', () => asked.length > 3)
      expect(asked.slice(0, 3)).toEqual(['prefix=a&from=start', 'prefix=a&after=1%7Ex', 'prefix=a&after=1%7Ex'])
      expect(latchkey.stdout).toBe('reset   all entries follow\nput     a  {"n":1}\ndelete  a\n')
    } finally {
      await latchkey.close()
    }
  })

  test('an answer that another try will not change ends it', async () => {
    const url = serve(() => problem(421, 'partition_not_held', 'Not here'))
    expect(await ask(url, 'watch', 'a')).toEqual({
      stdout: '',
      stderr: 'latchkey: Not here (partition_not_held)\n',
      exitCode: 3,
    })
  })
})
