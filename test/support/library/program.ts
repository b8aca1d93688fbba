/** An embedding program in a separate process, whose output is watched. */
import { tail } from '../process/run.ts'
import { until } from '../until.ts'

export class Program implements AsyncDisposable {
  readonly #child: Bun.Subprocess<'ignore', 'pipe', 'pipe'>
  readonly #read: Promise<unknown>
  stdout = ''
  stderr = ''

  /** @param environment all that it has beside PATH */
  constructor(file: string, cwd: string, environment: Record<string, string>, args: readonly string[] = []) {
    const env = { PATH: process.env['PATH'] ?? '', ...environment }
    this.#child = Bun.spawn([process.execPath, file, ...args], {
      cwd,
      env,
      stdin: 'ignore',
      stdout: 'pipe',
      stderr: 'pipe',
    })
    this.#read = Promise.all([this.#take('stdout'), this.#take('stderr')])
  }

  /** Waits until its output matches. */
  async printed(pattern: RegExp): Promise<RegExpExecArray> {
    await until(`it prints ${pattern}`, () => {
      if (this.#child.exitCode !== null) throw new Error(`it has ended: ${tail(this.stdout + this.stderr)}`)
      return pattern.test(this.stdout)
    })
    return pattern.exec(this.stdout)!
  }

  /** Ends it as an operator does. @returns its exit code */
  async stop(): Promise<number> {
    this.#child.kill('SIGTERM')
    return this.ended()
  }

  async ended(): Promise<number> {
    await this.#read
    return this.#child.exited
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.ended()
  }

  async #take(name: 'stdout' | 'stderr'): Promise<void> {
    const decoder = new TextDecoder()
    for await (const chunk of this.#child[name]) this[name] += decoder.decode(chunk, { stream: true })
  }
}
