/** What the executable prints arrives, or its exit code says that it does not. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { closeSync, constants, openSync, readFileSync, readSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { builtExecutable } from '../support/binary/built.ts'
import { run } from '../support/process/run.ts'
import { temporaryFolder } from '../support/process/temporary-folder.ts'
import { until } from '../support/until.ts'

const timeoutMs = 30_000
const pipeBytes = 65_536
const lines = '{"type":"put","key":"a","value":1}\n{"end":true,"entries":1}\n'
let folder: string
let server: Bun.Server<undefined>
let executable: string

beforeAll(async () => {
  folder = temporaryFolder('output')
  server = Bun.serve({ port: 0, hostname: '127.0.0.1', fetch: () => new Response(lines) })
  executable = await builtExecutable()
}, 120_000)

afterAll(async () => {
  await server.stop(true)
  rmSync(folder, { recursive: true })
})

/** Runs the executable with its output in a file. */
function into(file: string, args: readonly string[]) {
  return run(['/bin/sh', '-c', `"$0" "$@" > ${file}`, executable, ...args], timeoutMs)
}

describe('on a full disk', () => {
  test.each([
    ['get', 'a', 3],
    ['dump', '', 3],
    ['watch', '', 3],
    ['print', 'unit', 1],
    ['--help', '', 1],
  ])('%s %s ends with the reason', async (command, word, expected) => {
    const store = command.startsWith('-') || command === 'print' ? [] : ['--url', server.url.origin, '--store-id', 'a']
    const { exitCode, stderr } = await into(
      '/dev/full',
      [command, word, ...store].filter((one) => one !== ''),
    )
    expect(stderr).toContain('Writing the output: there is no space left on the device; free some')
    expect(exitCode).toBe(expected)
  })
})

test('all is printed when the reader is slow', async () => {
  const fifo = join(folder, 'fifo')
  await run(['mkfifo', fifo], timeoutMs)
  const whole = await run([executable, 'print', 'openapi'], timeoutMs)
  expect(whole.stdout.length).toBeGreaterThan(pipeBytes)
  const end = openSync(fifo, constants.O_RDONLY | constants.O_NONBLOCK)
  const writer = Bun.spawn(['/bin/sh', '-c', `exec "$0" print openapi > '${fifo}'`, executable])
  await until('the pipe is full', () => writer.exitCode !== null || writtenBy(writer.pid) >= pipeBytes)
  let text = ''
  const bytes = new Uint8Array(pipeBytes)
  await until('the output ends', () => {
    const hasEnded = writer.exitCode !== null
    const length = readNow(end, bytes)
    text += Buffer.from(bytes.subarray(0, length)).toString()
    return hasEnded && length === 0
  })
  closeSync(end)
  expect(text === whole.stdout).toBe(true)
  expect(await writer.exited).toBe(0)
})

/** Bytes that a process has written; 0 if it has ended. */
function writtenBy(pid: number): number {
  try {
    return Number(/^wchar: (\d+)$/m.exec(readFileSync(`/proc/${pid}/io`, 'utf8'))?.[1] ?? 0)
  } catch {
    return 0
  }
}

/** Returns 0 if there is nothing now, or no more. */
function readNow(file: number, bytes: Uint8Array): number {
  try {
    return readSync(file, bytes)
  } catch {
    return 0
  }
}
