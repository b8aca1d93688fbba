import { afterAll, expect, test } from 'bun:test'
import { chmodSync, chownSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { lockFile } from '../../lib/linux/file-lock.ts'
import { checkOwner } from '../../lib/linux/own-files.ts'
import { lockSnapshots, openSnapshotDirectory } from '../../lib/map/index.ts'
import { systemDisk } from '../../lib/map/snapshot/system-disk.ts'
import { temporaryFolder } from '../support/process/temporary-folder.ts'

const folder = temporaryFolder('own-files')
const pipe = join(folder, 'pipe')
const link = join(folder, 'link')
const target = join(folder, 'target')
Bun.spawnSync(['mkfifo', pipe])
writeFileSync(target, 'of another program')
symlinkSync(target, link)

afterAll(() => rmSync(folder, { recursive: true, force: true }))

// Opening a pipe would wait for its other end, and nothing could end the wait.
test.each([
  ['a manifest', (path: string) => systemDisk.readWhole(path, 100)],
  ['data', (path: string) => systemDisk.open(path, 'read')],
  ['a log to continue', (path: string) => systemDisk.open(path, 'write')],
  ['a new file', (path: string) => systemDisk.open(path, 'empty')],
  ['a lock', lockFile],
])('%s is neither a pipe, nor a device, nor behind a link', async (_, open) => {
  expect(() => open(pipe)).toThrow(/^(?:EINVAL|ENXIO)/)
  expect(() => open('/dev/null')).toThrow('EINVAL: /dev/null is not a regular file')
  expect(() => open(link)).toThrow('ELOOP')
  expect(await Bun.file(target).text()).toBe('of another program')
})

test('a directory that others can write to is not used', () => {
  const path = join(folder, 'store')
  const locked = lockSnapshots(path)
  if ('whyNot' in locked) throw new Error(locked.whyNot)
  locked.release()
  chmodSync(path, 0o777)
  const message = `EPERM: every user may write to ${path}`
  expect(lockSnapshots(path)).toEqual({ whyNot: message })
  expect(openSnapshotDirectory(path)).toEqual({ fault: { reason: 'unreadable', message } })
})

test('a directory of another user is not used', () => {
  const path = join(folder, 'foreign')
  const own = process.geteuid!()
  mkdirSync(path, { mode: 0o700 })
  expect(checkOwner(path)).toBeUndefined()
  // The directories of the administrator are for all to use.
  if (own === 0) chownSync(path, 12_345, 12_345)
  const owner = own || 12_345
  const other = own === 0 ? 0 : own + 1
  expect(() => checkOwner(path, other)).toThrow(
    `${path} belongs to user ${owner}, and this process runs as user ${other}`,
  )
})
