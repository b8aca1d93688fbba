/** Another server may answer, and a store has what anyone has written to its topic. */
import { afterEach, describe, expect, test } from 'bun:test'
import { builtExecutable } from '../support/binary/built.ts'
import { type Ended, runLatchkey } from '../support/binary/run-latchkey.ts'

let server: Bun.Server<undefined> | undefined

afterEach(() => server?.stop(true))

function serve(body: string, status = 200, type = 'application/json'): string {
  const fetch = () => new Response(body, { status, headers: { 'content-type': type } })
  server = Bun.serve({ port: 0, hostname: '127.0.0.1', fetch })
  return `http://127.0.0.1:${server.port}`
}

function ask(url: string, ...args: string[]): Promise<Ended> {
  return runLatchkey({ args: [...args, '--url', url, '--store-id', 'orders'] })
}

/** Runs a command in a terminal. Returns what that gets. */
async function askInTerminal(url: string, ...args: string[]): Promise<string> {
  let shown = ''
  const decoder = new TextDecoder()
  const data = (_: unknown, bytes: Uint8Array) => void (shown += decoder.decode(bytes, { stream: true }))
  const command = [await builtExecutable(), ...args, '--url', url, '--store-id', 'orders']
  const { exited } = Bun.spawn(command, { env: {}, terminal: { cols: 200, rows: 50, data } })
  await exited
  return shown
}

/** A title of the window, and red text, by a control of one character. */
const title = '\u001b]0;owned\u0007'
const red = '\u009b31m'
const status = {
  id: title,
  state: title,
  recovery: null,
  conditions: [{ name: title, ok: false, reason: red }],
  details: [{ partition: 0, role: title, state: red, position: 1, end: null, lag: null, entries: 5 }],
}

describe('in a terminal, nothing is obeyed', () => {
  test.each([
    ['the value of a key', ['get', 'a'], `${title}${red}`],
    ['an entry', ['get', 'a', '--json'], JSON.stringify({ key: 'a', value: red })],
    ['a dump', ['dump'], `${JSON.stringify({ key: 'a', value: red })}\n${title}\n{"end":true,"entries":1}\n`],
    ['a state', ['status'], JSON.stringify(status)],
    ['a state as JSON', ['status', '--json'], JSON.stringify(status)],
  ])('%s', async (_, args, body) => {
    const shown = await askInTerminal(serve(body), ...args)
    expect(shown).toContain('\\u009b31m')
    // oxlint-disable-next-line no-control-regex
    expect(shown).not.toMatch(/[\u001b\u0007\u007f-\u009f]/)
  })
})

test('in a pipe, JSON is that of the store', async () => {
  const body = `${JSON.stringify({ key: 'a', value: red })}\n`
  expect(await ask(serve(body), 'get', 'a', '--json')).toEqual({ stdout: body, stderr: '', exitCode: 0 })
})

test('codes and details of errors are shown without controls', async () => {
  const url = serve(JSON.stringify({ code: title, detail: red }), 404, 'application/problem+json')
  const stderr = 'latchkey: \\u009b31m (\\u001b]0;owned\\u0007)\n'
  expect(await ask(url, 'get', 'a')).toEqual({ stdout: '', stderr, exitCode: 3 })
})

describe('JSON that is not of a store is another error', () => {
  test.each([
    ['status', '{}'],
    ['status', 'null'],
    ['status', '{"id":"a","conditions":[],"details":[7]}'],
    ['get', 'null'],
    ['get', '<html>'],
    ['watch', 'null\n'],
    ['watch', '<html>\n'],
    ['watch', '{"type":"put","key":1,"valueBase64":1}\n'],
    ['watch', '{"type":"place","id":{}}\n'],
    ['watch', '{"type":"toast"}\n'],
  ])('%s gets %p', async (command, body) => {
    const url = serve(body)
    const args = command === 'get' ? ['a', '--json'] : []
    const { exitCode, stderr, stdout } = await ask(url, command, ...args)
    expect({ exitCode, stdout }).toEqual({ exitCode: 3, stdout: '' })
    expect(stderr).toBe(`latchkey: Asking ${url}: the answer is not of a store\n`)
  })

  test.each(['null', '{', '{}'])('an error with %p is still one', async (body) => {
    const { exitCode, stderr } = await ask(serve(body, 404, 'application/problem+json'), 'status')
    expect(exitCode).toBe(3)
    expect(stderr).toMatch(/^latchkey: .+ \(\w+\)\n$/)
  })
})
