/** The file system of the machine for a look that changes nothing: everything that would change it fails. */
import type { Disk } from './disk.ts'
import { systemDisk } from './system-disk.ts'

export const readOnlyDisk: Disk = {
  ...systemDisk,
  makeDirectory: refuse,
  open: (path, how) => (how === 'read' ? systemDisk.open(path, how) : refuse(path)),
  link: refuse,
  rename: refuse,
  remove: refuse,
  syncDirectory: refuse,
}

function refuse(path: string): never {
  throw Object.assign(new Error(`EROFS: ${path} is only looked at`), { code: 'EROFS' })
}
