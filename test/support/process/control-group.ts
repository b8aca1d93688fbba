/** A control group with a memory limit, of version 1 or 2. Only for root. */
import { mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const mounts = { 1: '/sys/fs/cgroup/memory', 2: '/sys/fs/cgroup' }

export class ControlGroup {
  /** Command of a shell that brings the shell, and what it executes then, into the group. */
  readonly enter: string
  readonly #path: string
  readonly #mostFile: string

  /** @throws Error that says what is missing */
  constructor(name: string, limitBytes: number) {
    const own = readFileSync('/proc/self/cgroup', 'utf8')
    const group = /^\d+:[^:]*\bmemory\b[^:]*:(.*)$/m.exec(own)?.[1]
    const isVersion1 = group !== undefined
    // In version 2 a group with processes has no groups with limits below it.
    this.#path = isVersion1 ? join(mounts[1], group, name) : join(mounts[2], name)
    this.#mostFile = isVersion1 ? 'memory.max_usage_in_bytes' : 'memory.peak'
    this.enter = `echo $$ > ${join(this.#path, 'cgroup.procs')}`
    try {
      mkdirSync(this.#path)
      writeFileSync(join(this.#path, isVersion1 ? 'memory.limit_in_bytes' : 'memory.max'), String(limitBytes))
    } catch (error) {
      const advice = 'run the test as root, where control groups of memory are mounted and can be written'
      throw new Error(`make the control group ${this.#path}: ${(error as Error).message}. ${advice}`, { cause: error })
    }
  }

  /** Most bytes that it has taken at one time, with the files that it has read. */
  get mostBytes(): number {
    return Number(readFileSync(join(this.#path, this.#mostFile), 'utf8'))
  }

  [Symbol.dispose](): void {
    rmdirSync(this.#path)
  }
}
