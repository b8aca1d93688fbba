/**
 * `npm run test:tools`: tools of other makers against the executable and a real Kafka. Not a part of `npm test`, since they
 * are not in the npm registry. A tool that is missing is a failure that names its Debian package, never a skip.
 *
 * To add some: a file here that `bun test` runs (its name without `.test`, so that `npm test` does not), and what it needs
 * in the list below.
 */
import { root } from '../style/repository.ts'

interface Tool {
  /** Ends with exit code 0 where the tool is there. */
  probe: readonly string[]
  debianPackage: string
}

interface Suite {
  file: string
  tools: readonly Tool[]
}

const suites: readonly Suite[] = [
  {
    file: './test/tools/redis.ts',
    tools: [
      { probe: ['redis-cli', '--version'], debianPackage: 'redis-tools' },
      { probe: ['redis-benchmark', '--version'], debianPackage: 'redis-tools' },
      { probe: ['/usr/bin/python3', '-c', 'import redis'], debianPackage: 'python3-redis' },
    ],
  },
  {
    file: './test/tools/operations.ts',
    tools: [
      { probe: ['promtool', '--version'], debianPackage: 'prometheus' },
      { probe: ['systemd-analyze', '--version'], debianPackage: 'systemd' },
    ],
  },
]

const chosen = process.argv.slice(2)
const asked = suites.filter(({ file }) => chosen.length === 0 || chosen.some((word) => file.includes(word)))
const missing = asked.flatMap(({ tools }) => tools).filter(({ probe }) => !isThere(probe))
if (missing.length > 0) {
  const names = missing.map(({ probe }) => `"${probe.join(' ')}"`).join(', ')
  const packages = [...new Set(missing.map(({ debianPackage }) => debianPackage))].join(' ')
  console.error(
    `run the tests of tools: found nothing that runs ${names}. Install what is missing: apt-get install ${packages}`,
  )
  process.exit(1)
}
const command = [process.execPath, 'test', ...asked.map(({ file }) => file)]
process.exit(await Bun.spawn(command, { cwd: root, stdio: ['inherit', 'inherit', 'inherit'] }).exited)

function isThere([program = '', ...args]: readonly string[]): boolean {
  if (Bun.which(program) === null) return false
  return Bun.spawnSync([program, ...args], { stdout: 'ignore', stderr: 'ignore' }).success
}
