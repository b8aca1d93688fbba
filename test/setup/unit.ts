/** Runs the test files that need no broker, no Java, no executable and little time, or, with `--list`, prints them. Further arguments go to `bun test`. */
import { importsOf, repositoryFiles, root } from '../style/repository.ts'

/** What needs a broker, Java or the executable. */
const heavy = new Set([
  'test/support/kafka/index.ts',
  'test/support/kafka/broker/jars.ts',
  'test/support/binary/built.ts',
])

/** Whole servers under load or waiting for their timeouts, and the map at full speed: longer than all others together. */
const slow = new Set([
  'test/map/concurrency.test.ts',
  'test/map/fold.test.ts',
  'test/map/memory.test.ts',
  'test/map/random-operations.test.ts',
  'test/server/connection-cap.test.ts',
  'test/server/fast-path/client-connection.test.ts',
  'test/server/fast-path/tunnel.test.ts',
  'test/server/hostile.test.ts',
  'test/server/memory.test.ts',
  'test/server/request-bodies.test.ts',
])
/** More than there are cores: many tests wait for a clock or a socket. */
const processes = 4

/** Paths from the top of the repository. */
export function unitTests(): string[] {
  const files = new Set(repositoryFiles())
  const isHeavy = (path: string, seen: Set<string>): boolean => {
    if (heavy.has(path)) return true
    if (seen.has(path) || !files.has(path)) return false
    seen.add(path)
    return importsOf(path).some((imported) => isHeavy(imported, seen))
  }
  return [...files].filter((path) => path.endsWith('.test.ts') && !slow.has(path) && !isHeavy(path, new Set()))
}

if (import.meta.main) {
  const args = process.argv.slice(2)
  const tests = unitTests()
  if (args.includes('--list')) {
    console.log(tests.join('\n'))
  } else {
    const command = [process.execPath, 'test', `--parallel=${processes}`, ...args, ...tests.map((path) => `./${path}`)]
    process.exit(await Bun.spawn(command, { cwd: root, stdio: ['inherit', 'inherit', 'inherit'] }).exited)
  }
}
