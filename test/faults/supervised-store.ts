/** A store that is started again when it ends by itself, as a service manager would. */
import type { FaultRun } from '../support/fault-run/fault-run.ts'
import { tail } from '../support/process/run.ts'

const pollMs = 200
const restartMs = 1_000

export class SupervisedStore {
  /** Last lines of what ended by itself. */
  readonly ends: string[] = []
  readonly #run: FaultRun
  #isMeantToRun = false
  #stopping = false
  #watching: Promise<void> | undefined

  constructor(run: FaultRun) {
    this.#run = run
  }

  /** Starts it, and watches it from now on. */
  async start(): Promise<void> {
    await this.#run.start()
    this.#isMeantToRun = true
    this.#watching ??= this.#watch()
  }

  async kill(): Promise<void> {
    this.#isMeantToRun = false
    await this.#run.process.kill()
  }

  /** Stops watching it; it continues. */
  async release(): Promise<void> {
    this.#stopping = true
    await this.#watching
  }

  async #watch(): Promise<void> {
    while (!this.#stopping) {
      await Bun.sleep(pollMs)
      const { process } = this.#run
      if (!this.#isMeantToRun || process.isAlive) continue
      this.ends.push(tail(process.stdout + process.stderr, 3))
      await Bun.sleep(restartMs)
      if (this.#isMeantToRun && !this.#stopping) await this.#run.start()
    }
  }
}
