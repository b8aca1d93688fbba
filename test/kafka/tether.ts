import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'

/**
 * Ties a folder, and a child that works in it, to the life of this process, however this process ends. A watcher reads a pipe that only
 * this process holds open, and learns the child's process id from it. When the pipe closes without a farewell, the watcher kills the
 * child and removes the folder. Both run in sessions of their own: Ctrl-C reaches this process alone, which then ends things in order.
 */
const watcherScript = `
pid=
while read -r line; do
  [ "$line" = farewell ] && exit
  pid=$line
done
[ -n "$pid" ] && [ "$pid" != none ] && kill -9 "$pid"
sleep 0.2
rm -rf "$1"`

export interface TiedProcess {
  readonly pid: number
  /** Resolves with its exit code; null where a signal ended it. */
  readonly exited: Promise<number | null>
  signal(name: NodeJS.Signals): void
}

export class Tether {
  readonly #watcher: ChildProcess

  /** `folder` is removed if this process dies before `release`. */
  constructor(folder: string) {
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
    const [program = '', ...args] = command
    const log = openSync(logFile, 'a')
    const child = spawn(program, args, { ...options, detached: true, stdio: ['ignore', log, log] })
    closeSync(log)
    this.#tell(String(child.pid ?? 'none'))
    child.unref()
    const exited = new Promise<number | null>((resolve) => {
      child.once('exit', (code) => {
        this.#tell('none')
        resolve(code)
      })
    })
    await new Promise<void>((resolve, reject) => {
      child.once('spawn', resolve)
      child.once('error', (error) => reject(new Error(`run ${program}: ${error.message}`, { cause: error })))
    })
    const signal = (name: NodeJS.Signals) => {
      child.ref() // whoever ends it waits for its end
      child.kill(name)
    }
    return { pid: child.pid ?? 0, exited, signal }
  }

  /** The folder is the caller's to keep or remove from now on. */
  release(): void {
    this.#watcher.stdin?.end('farewell\n')
  }

  #tell(line: string): void {
    this.#watcher.stdin?.write(`${line}\n`)
  }
}
