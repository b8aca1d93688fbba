import { afterAll, expect, test } from 'bun:test'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { canLockFiles, lockFile } from '../../lib/linux/file-lock.ts'
import { temporaryFolder } from '../support/process/temporary-folder.ts'

const folder = temporaryFolder('file-lock')

afterAll(() => rmSync(folder, { recursive: true, force: true }))

test('a file is locked once, until it is released', () => {
  expect(canLockFiles).toBe(true)
  const path = join(folder, 'lock')
  const release = lockFile(path)
  expect(release).toBeDefined()
  expect(lockFile(path)).toBeUndefined()
  release!()
  const again = lockFile(path)
  expect(again).toBeDefined()
  again!()
})

test('the lock of a process ends with it', async () => {
  const path = join(folder, 'process')
  const source = new URL('../../lib/linux/file-lock.ts', import.meta.url).href
  const script = `import { lockFile } from '${source}'; lockFile('${path}'); console.log('locked'); setInterval(() => {}, 1000)`
  const child = Bun.spawn([process.execPath, '-e', script], { stdout: 'pipe', stderr: 'inherit' })
  try {
    await child.stdout.getReader().read()
    expect(lockFile(path)).toBeUndefined()
  } finally {
    child.kill('SIGKILL')
    await child.exited
  }
  expect(lockFile(path)).toBeDefined()
})
