/**
 * The memory limit of the control group of this process, of version 1 or 2, or of the groups around it. The process is
 * ended by the kernel when its group needs more.
 */
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** Version 1 writes the largest multiple of a page where there is no limit. */
const unlimitedMin = 2 ** 60

interface Mount {
  /** Group at which the mount begins: another than `/` in a container without a namespace for groups. */
  root: string
  path: string
  isVersion2: boolean
}

type ReadText = (path: string) => string | undefined

/** @returns bytes; undefined without a limit, and on a system without control groups */
export function memoryLimit(read: ReadText = textOf): number | undefined {
  const groups = groupsIn(read('/proc/self/cgroup') ?? '')
  const limits = mountsIn(read('/proc/self/mountinfo') ?? '').flatMap((mount) => {
    const group = mount.isVersion2 ? groups.version2 : groups.memory
    if (group === undefined) return []
    const path = join(mount.path, below(mount.root, group))
    return mount.isVersion2 ? limitsUpTo(mount.path, path, read) : hierarchicalLimit(path, read)
  })
  const least = Math.min(...limits)
  return least < unlimitedMin ? least : undefined
}

/** Paths of the groups of this process: of the unified hierarchy, and of version 1's for memory. */
function groupsIn(text: string): { version2?: string; memory?: string } {
  const groups: { version2?: string; memory?: string } = {}
  for (const line of text.split('\n')) {
    const [, id, controllers, path] = /^(\d+):([^:]*):(.*)$/.exec(line) ?? []
    if (path === undefined) continue
    if (id === '0' && controllers === '') groups.version2 = path
    if (controllers!.split(',').includes('memory')) groups.memory = path
  }
  return groups
}

/** See proc_pid_mountinfo(5). */
function mountsIn(text: string): Mount[] {
  return text.split('\n').flatMap((line) => {
    const [before = '', after = ''] = line.split(' - ')
    const [, , , root, path] = before.split(' ').map(unescaped)
    const [type, , options = ''] = after.split(' ')
    const isVersion2 = type === 'cgroup2'
    const isOfMemory = isVersion2 || (type === 'cgroup' && options.split(',').includes('memory'))
    return root === undefined || path === undefined || !isOfMemory ? [] : [{ root, path, isVersion2 }]
  })
}

/** Characters that would separate fields are written as three octal digits. */
function unescaped(field: string): string {
  return field.replaceAll(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)))
}

/** Returns the path of a group below the root of a mount. A group elsewhere is seen as that root. */
function below(root: string, group: string): string {
  if (root === '/') return group.startsWith('/..') ? '/' : group
  return group === root || group.startsWith(`${root}/`) ? group.slice(root.length) : '/'
}

/** The limits of a group and of all groups around it, as far as they are mounted. */
function limitsUpTo(mount: string, group: string, read: ReadText): number[] {
  const limits: number[] = []
  for (let path = group; path.startsWith(mount); path = dirname(path)) {
    limits.push(...bytesIn(read(join(path, 'memory.max'))))
    if (path === mount || path === '/') break
  }
  return limits
}

/** Version 1 states the lowest limit of a group and of those around it. */
function hierarchicalLimit(group: string, read: ReadText): number[] {
  const stated = /^hierarchical_memory_limit (\d+)$/m.exec(read(join(group, 'memory.stat')) ?? '')?.[1]
  return bytesIn(stated ?? read(join(group, 'memory.limit_in_bytes')))
}

function bytesIn(text: string | undefined): number[] {
  const digits = text?.trim() ?? ''
  return /^\d{1,20}$/.test(digits) ? [Number(digits)] : []
}

function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}
