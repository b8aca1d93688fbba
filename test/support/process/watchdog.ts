import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, openSync, rmSync } from 'node:fs'
import { join } from 'node:path'

/**
 * Ties a folder, and a child that works in it, to the life of this process, however this process ends. A watcher reads a pipe that only
 * this process holds open. When it closes without a line, the watcher kills the child and removes the folder. Both run in separate
 * sessions: Ctrl-C reaches this process alone, which then ends things in order.
 */
const pidFile = '.pid'
const watcherScript = `
read -r released && exit
sleep 0.1
[ -f "$1/${pidFile}" ] && kill -9 "$(cat "$1/${pidFile}")"
sleep 0.1
rm -rf "$1"`
/** The child reports its own process id: if this process had to send it to the watcher, it could be killed before. */
const childScript = `
echo $$ > "$0/${pidFile}"
exec "$@"`

export interface TiedProcess {
  readonly pid: number
  /** Resolves with its exit code; null where a signal ended it. */
  readonly exited: Promise<number | null>
  signal(name: NodeJS.Signals): void
}

export class Watchdog {
  readonly #folder: string
  readonly #watcher: ChildProcess

  /** `folder` is removed if this process dies before `release`. */
  constructor(folder: string) {
    this.#folder = folder
    this.#watcher = spawn('/bin/sh', ['-c', watcherScript, 'watcher', folder], {
      detached: true,
      stdio: ['pipe', 'ignore', 'ignore'],
    })
    this.#watcher.on('error', () => {})
    this.#watcher.stdin?.on('error', () => {})
    this.#watcher.unref()
  }

  /** Runs `command`, one at a time, its output appended to `logFile`. */
  async spawn(
    command: readonly string[],
    logFile: string,
    options: { cwd?: string; env?: NodeJS.ProcessEnv } = {},
  ): Promise<TiedProcess> {
    const log = openSync(logFile, 'a')
    const child = spawn('/bin/sh', ['-c', childScript, this.#folder, ...command], {
      ...options,
      detached: true,
      stdio: ['ignore', log, log],
    })
    closeSync(log)
    child.unref()
    const exited = new Promise<number | null>((resolve) => {
      child.once('exit', (code) => {
        rmSync(join(this.#folder, pidFile), { force: true })
        resolve(code)
      })
    })
    await new Promise<void>((resolve, reject) => {
      child.once('spawn', resolve)
      child.once('error', (error) => reject(new Error(`run ${command[0]}: ${error.message}`, { cause: error })))
    })
    const signal = (name: NodeJS.Signals) => {
      child.ref() // who ends it waits for its end
      child.kill(name)
    }
    return { pid: child.pid ?? 0, exited, signal }
  }

  /** The folder is the caller's to keep or remove from now on. */
  release(): void {
    this.#watcher.stdin?.end('released\n')
  }
}
