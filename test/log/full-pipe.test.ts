import { afterAll, beforeAll, expect, test } from 'bun:test'
import { closeSync, openSync, readSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { temporaryFolder } from '../support/process/temporary-folder.ts'
import { soon } from '../support/until.ts'

const pipeBytesMax = 1 << 20

let folder: string
let pipe: number

beforeAll(() => {
  folder = temporaryFolder('pipe')
  const path = join(folder, 'stderr')
  expect(Bun.spawnSync(['mkfifo', path]).exitCode).toBe(0)
  pipe = openSync(path, 'r+')
})

afterAll(() => {
  closeSync(pipe)
  rmSync(folder, { recursive: true })
})

/** Reads all that is in the pipe. */
function drain(): string {
  const bytes = Buffer.alloc(pipeBytesMax)
  return bytes.toString('utf8', 0, readSync(pipe, bytes))
}

test('a thread continues when its log is not read, and logs the number of missing lines once it is', async () => {
  const command = [process.execPath, join(import.meta.dir, '../support/log/writing-child.ts')]
  const child = Bun.spawn(command, { stdin: 'pipe', stdout: 'pipe', stderr: pipe })
  const reader = child.stdout.getReader()
  const said = async (text: string) =>
    expect(Buffer.from((await soon(text, reader.read())).value!).toString()).toBe(text)
  try {
    await said('continued\n')
    const written = drain().split('\n').length - 1
    void child.stdin.write('\n')
    await said('logged again\n')
    const lines = drain()
      .split('\n')
      .map((line) => line.slice(25))
    expect(lines).toEqual([
      `warning log    ${2_000 - written} lines are missing here: stderr is a pipe, and it was full. Read it faster`,
      'info    store  Again',
      '',
    ])
  } finally {
    child.kill()
    await child.exited
  }
})
