import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { freePorts } from '../../kafka/ports.ts'
import { buildFolder } from '../build-folder.ts'
import type { RunningStore } from './contender.ts'
import { processorMsOf, residentBytesOf } from './process-tree.ts'

const pollMs = 2
const startMaxMs = 600_000
const stopMaxMs = 30_000

const alive = new Set<Bun.Subprocess>()
process.on('exit', () => {
  for (const child of alive) child.kill('SIGKILL')
})

export interface Launch {
  id: string
  command: (port: number) => string[]
  env: (port: number) => Record<string, string>
  cwd: string
  /** Finds in the output how many milliseconds recovery took. */
  recovery: RegExp
  recoveryUnitMs: number
}

/** Runs a contender, its output in a file of its own beside the builds. */
export async function launch({ id, command, env, cwd, recovery, recoveryUnitMs }: Launch): Promise<RunningStore> {
  const [port = 0] = await freePorts(1)
  const logs = buildFolder('logs')
  mkdirSync(logs, { recursive: true })
  const log = join(logs, `${id}-${port}.log`)
  const { PATH = '', HOME = '' } = process.env
  const startedAt = performance.now()
  const child = Bun.spawn(command(port), {
    cwd,
    env: { PATH, HOME, ...env(port) },
    stdin: 'ignore',
    stdout: Bun.file(log),
    stderr: Bun.file(`${log}.err`),
  })
  alive.add(child)
  void child.exited.then(() => alive.delete(child))
  const lookupPath = `/stores/${id}/`
  const url = `http://127.0.0.1:${port}`

  async function isAnswering(): Promise<boolean> {
    const response = await fetch(`${url}${lookupPath}user-0`).catch(() => undefined)
    await response?.arrayBuffer()
    return response?.status === 200 || response?.status === 404
  }

  return {
    url,
    startedAt,
    lookupPath,
    async answers() {
      while (!(await isAnswering())) {
        if (child.exitCode !== null) throw new Error(`${id} ended with ${child.exitCode}: see ${log}`)
        if (performance.now() - startedAt > startMaxMs) throw new Error(`${id} gave no answer: see ${log}`)
        await Bun.sleep(pollMs)
      }
      return performance.now() - startedAt
    },
    residentBytes: () => residentBytesOf(child.pid),
    processorMs: () => processorMsOf(child.pid),
    async recoveryMs() {
      await Bun.sleep(50) // for what it writes about it
      const said = recovery.exec(readFileSync(log, 'utf8') + readFileSync(`${log}.err`, 'utf8'))
      return said ? Number(said[1]) * unitMs(said[2], recoveryUnitMs) : undefined
    },
    async stop() {
      child.kill('SIGTERM')
      const timer = setTimeout(() => child.kill('SIGKILL'), stopMaxMs)
      await child.exited
      clearTimeout(timer)
    },
  }
}

function unitMs(unit: string | undefined, otherwise: number): number {
  if (unit === 'ms') return 1
  if (unit === 's') return 1000
  return otherwise
}
