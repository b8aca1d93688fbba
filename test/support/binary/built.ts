/** The executable of this test run: built once, by the package's own build script, into a folder that goes with the process. */
import { join, resolve } from 'node:path'
import { run, tail } from '../process/run.ts'
import { temporaryFolder } from '../process/temporary-folder.ts'
import { Watchdog } from '../process/watchdog.ts'

const root = resolve(import.meta.dir, '../../..')
const buildTimeoutMs = 120_000

interface Built {
  path: string
  /** Never released: it removes the folder when this process has ended in any way. */
  watchdog: Watchdog
}

/** On globalThis, so that all test files of a process share it. */
const shared = globalThis as { latchkeyBuilt?: Promise<Built> }

/** Path of the executable. */
export async function builtExecutable(): Promise<string> {
  shared.latchkeyBuilt ??= build()
  return (await shared.latchkeyBuilt).path
}

async function build(): Promise<Built> {
  const folder = temporaryFolder('build')
  const watchdog = new Watchdog(folder)
  const path = join(folder, 'latchkey')
  // A second --outfile overrides that of the script.
  const command = [process.execPath, 'run', '--cwd', root, 'build', '--outfile', path]
  const { stdout, stderr, exitCode } = await run(command, buildTimeoutMs)
  if (exitCode !== 0) throw new Error(`build the executable: exit code ${exitCode}\n${tail(stdout + stderr)}`)
  return { path, watchdog }
}
