/**
 * `npm run test:tools`: tools of other makers against the executable and a real Kafka. Not a part of `npm test`, since they
 * are not in the npm registry. A tool that is missing is a failure that names how to install it, never a skip.
 *
 * To add some: a file here that `bun test` runs (its name without `.test`, so that `npm test` does not), and what it needs
 * in the list below.
 */
import { root } from '../style/repository.ts'
import { probeOfEarlier } from '../support/binary/earlier.ts'

interface Tool {
  /** Ends with exit code 0 where the tool is there. */
  probe: readonly string[]
  /** The command that installs it. */
  install: string
}

interface Suite {
  file: string
  tools: readonly Tool[]
}

const chromium: Tool = { probe: ['chromium', '--version'], install: 'apt-get install chromium' }
const redisCli: Tool = { probe: ['redis-cli', '--version'], install: 'apt-get install redis-tools' }

const suites: readonly Suite[] = [
  {
    file: './test/tools/redis.ts',
    tools: [
      redisCli,
      { probe: ['redis-benchmark', '--version'], install: 'apt-get install redis-tools' },
      { probe: ['/usr/bin/python3', '-c', 'import redis'], install: 'apt-get install python3-redis' },
    ],
  },
  {
    file: './test/tools/redis-server.ts',
    tools: [{ probe: ['redis-server', '--version'], install: 'apt-get install redis-server' }],
  },
  {
    file: './test/tools/redis-pushes.ts',
    tools: [
      redisCli,
      // The near cache came with 5.1, and Debian has 4.
      {
        probe: ['python3', '-c', 'from redis.cache import CacheConfig'],
        install: 'python3 -m pip install redis==6.4.0',
      },
    ],
  },
  {
    file: './test/tools/operations.ts',
    tools: [
      { probe: ['promtool', '--version'], install: 'apt-get install prometheus' },
      { probe: ['systemd-analyze', '--version'], install: 'apt-get install systemd' },
    ],
  },
  {
    file: './test/tools/image.ts',
    tools: [{ probe: ['skopeo', '--version'], install: 'apt-get install skopeo' }],
  },
  {
    file: './test/tools/page.ts',
    tools: [chromium, redisCli, { probe: ['curl', '--version'], install: 'apt-get install curl' }],
  },
  {
    file: './test/tools/page-keys.ts',
    tools: [chromium],
  },
  {
    file: './test/tools/page-live.ts',
    tools: [chromium],
  },
  {
    file: './test/tools/page-states.ts',
    tools: [chromium],
  },
  { file: './test/tools/upgrade.ts', tools: [{ probe: probeOfEarlier, install: 'git fetch --unshallow' }] },
  { file: './test/tools/rollout.ts', tools: [] },
  // These need root, and say so.
  { file: './test/tools/control-group.ts', tools: [] },
  { file: './test/tools/full-disk.ts', tools: [] },
]

const chosen = process.argv.slice(2)
const asked = suites.filter(({ file }) => chosen.length === 0 || chosen.some((word) => file.includes(word)))
const missing = asked.flatMap(({ tools }) => tools).filter(({ probe }) => !isThere(probe))
if (missing.length > 0) {
  const names = missing.map(({ probe }) => `"${probe.join(' ')}"`).join(', ')
  const commands = [...new Set(missing.map(({ install }) => install))].join('; ')
  console.error(`run the tests of tools: found nothing that runs ${names}. Install what is missing: ${commands}`)
  process.exit(1)
}
const command = [process.execPath, 'test', ...asked.map(({ file }) => file)]
process.exit(await Bun.spawn(command, { cwd: root, stdio: ['inherit', 'inherit', 'inherit'] }).exited)

function isThere([program = '', ...args]: readonly string[]): boolean {
  if (Bun.which(program) === null) return false
  return Bun.spawnSync([program, ...args], { stdout: 'ignore', stderr: 'ignore' }).success
}
