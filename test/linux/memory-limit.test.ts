import { expect, test } from 'bun:test'
import { memoryLimit } from '../../lib/linux/memory-limit.ts'

const v1Mount = (root = '/', path = '/sys/fs/cgroup/memory') =>
  `34 30 0:28 ${root} ${path} rw,nosuid - cgroup cgroup rw,memory`
const v2Mount = (root = '/', path = '/sys/fs/cgroup') =>
  `30 23 0:26 ${root} ${path} rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate`
const otherMount = '35 30 0:29 / /sys/fs/cgroup/cpu rw,nosuid - cgroup cgroup rw,cpu,cpuacct'

function limitOf(groups: string, mounts: readonly string[], files: Readonly<Record<string, string>>) {
  const all: Readonly<Record<string, string>> = {
    '/proc/self/cgroup': `${groups}\n`,
    '/proc/self/mountinfo': `${mounts.join('\n')}\n`,
    ...files,
  }
  return memoryLimit((path) => all[path])
}

const stat = (limit: string) => `cache 0\nrss 5\nhierarchical_memory_limit ${limit}\ntotal_rss 5\n`

test.each([
  [
    'the group of version 2',
    '0::/app.slice/store',
    [v2Mount()],
    { '/sys/fs/cgroup/app.slice/store/memory.max': '272629760\n' },
    272_629_760,
  ],
  [
    'a group around it, which has less',
    '0::/app.slice/store',
    [v2Mount()],
    {
      '/sys/fs/cgroup/app.slice/store/memory.max': '9000\n',
      '/sys/fs/cgroup/app.slice/memory.max': '8000\n',
      '/sys/fs/cgroup/memory.max': 'max\n',
    },
    8000,
  ],
  ['a container that sees its group as the root', '0::/', [v2Mount()], { '/sys/fs/cgroup/memory.max': '7000\n' }, 7000],
  ['a group that a namespace hides', '0::/../..', [v2Mount()], { '/sys/fs/cgroup/memory.max': '7000\n' }, 7000],
  [
    'the group of version 1, with those around it',
    '5:cpu,cpuacct:/x\n4:memory:/a/b\n0::/',
    [otherMount, v1Mount(), v2Mount('/', '/sys/fs/cgroup/unified')],
    { '/sys/fs/cgroup/memory/a/b/memory.stat': stat('6000') },
    6000,
  ],
  [
    'a container of version 1 whose mount begins at its group',
    '4:memory:/docker/1f',
    [v1Mount('/docker/1f')],
    { '/sys/fs/cgroup/memory/memory.stat': stat('5000') },
    5000,
  ],
  [
    'a mount whose path has a space',
    '0::/',
    [v2Mount('/', '/my\\040groups')],
    { '/my groups/memory.max': '4000\n' },
    4000,
  ],
])('the limit is that of %s', (_, groups, mounts, files, limit) => {
  expect(limitOf(groups, mounts, files as Record<string, string>)).toBe(limit)
})

test.each([
  ['version 2 says max', '0::/', [v2Mount()], { '/sys/fs/cgroup/memory.max': 'max\n' }],
  ['the root group has no file', '0::/', [v2Mount()], {}],
  [
    'version 1 has its largest number',
    '4:memory:/',
    [v1Mount()],
    { '/sys/fs/cgroup/memory/memory.stat': stat('9223372036854771712') },
  ],
  ['there are no control groups', '', [], {}],
])('there is no limit when %s', (_, groups, mounts, files) => {
  expect(limitOf(groups, mounts, files)).toBeUndefined()
})

test('the limit of this machine can be read', () => {
  const limit = memoryLimit()
  expect(limit === undefined || limit > 0).toBeTrue()
})
