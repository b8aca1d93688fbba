import { mkdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { freePorts } from '../../support/process/ports.ts'
import { temporaryFolder } from '../../support/process/temporary-folder.ts'
import { Watchdog } from '../../support/process/watchdog.ts'
import { buildFolder } from '../build-folder.ts'
import type { RunningStore } from './contender.ts'
import { firstThreadOf, processorMsOf, residentBytesOf } from './process-tree.ts'

const pollMs = 2
const startMaxMs = 600_000
const stopMaxMs = 30_000

export interface Launch {
  id: string
  /** @param folder empty, its own, removed in the end */
  command: (port: number, folder: string) => string[]
  env: (port: number) => Record<string, string>
  /** Finds in the output how long recovery took: a number, and its unit `s` or `ms`. */
  recovery: RegExp
}

/**
 * Runs a contender, its output in a separate file beside the builds. In a separate session, as a service would be: the scheduler shares
 * the processors out among sessions before it does among processes. It dies with this process.
 */
export async function launch({ id, command, env, recovery }: Launch): Promise<RunningStore> {
  const [port = 0] = await freePorts(1)
  const logs = buildFolder('logs')
  mkdirSync(logs, { recursive: true })
  const log = join(logs, `${id}-${port}.log`)
  const folder = temporaryFolder('bench')
  const watchdog = new Watchdog(folder)
  const { PATH = '', HOME = '' } = process.env
  const startedAt = performance.now()
  const child = await watchdog.spawn(command(port, folder), log, { cwd: folder, env: { PATH, HOME, ...env(port) } })
  let ended: number | null | undefined
  void child.exited.then((code) => (ended = code))
  const lookupPath = `/stores/${id}/`
  const url = `http://127.0.0.1:${port}`

  async function isAnswering(): Promise<boolean> {
    const response = await fetch(`${url}${lookupPath}user-0`).catch(() => undefined)
    await response?.arrayBuffer()
    return response?.status === 200 || response?.status === 404
  }

  async function end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    child.signal(signal)
    const timer = setTimeout(() => child.signal('SIGKILL'), stopMaxMs)
    await child.exited
    clearTimeout(timer)
    watchdog.release()
    rmSync(folder, { recursive: true, force: true })
  }

  return {
    url,
    startedAt,
    lookupPath,
    async answers() {
      while (!(await isAnswering())) {
        if (ended !== undefined) throw new Error(`${id} ended with ${ended}: see ${log}`)
        if (performance.now() - startedAt > startMaxMs) throw new Error(`${id} gave no answer: see ${log}`)
        await Bun.sleep(pollMs)
      }
      return performance.now() - startedAt
    },
    residentBytes: () => residentBytesOf(child.pid),
    processorMs: () => processorMsOf(child.pid),
    firstThread: () => firstThreadOf(child.pid),
    async recoveryMs() {
      await Bun.sleep(50) // for what it writes about it
      const said = recovery.exec(readFileSync(log, 'utf8'))
      return said ? Number(said[1]) * (said[2] === 'ms' ? 1 : 1000) : undefined
    },
    stop: () => end('SIGTERM'),
    kill: () => end('SIGKILL'),
  }
}
