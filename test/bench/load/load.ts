/** Lookups over HTTP as fast as they are answered, from a separate process: wrk where it is installed, else sockets.ts on Bun. */
import { join } from 'node:path'
import { keysOf, type LoadForm } from './requests.ts'

export interface Load {
  /** Requests. */
  perSecond: number
  p50Ms: number
  p99Ms: number
  maxMs: number
  /** Answers other than 2xx and 3xx, and connections that failed. */
  failures: number
  /** Share of a core that the load itself took: near 1 it is what limits. */
  processorShare: number
}

export interface Target {
  url: string
  lookupPath: string
  keys: number
  connections: number
  seconds: number
  /** `single` where absent. */
  form?: LoadForm
  /** Of the server. */
  token?: string | undefined
}

const wrk = Bun.which('wrk')
export const loadTool = wrk ? 'wrk, one thread' : 'test/bench/load/sockets.ts, since wrk is not installed'

export async function lookups(target: Target): Promise<Load> {
  const startedAt = performance.now()
  const child = Bun.spawn(commandOf(target), { stdout: 'pipe', stderr: 'inherit' })
  const output = await new Response(child.stdout).text()
  await child.exited
  const wallMs = performance.now() - startedAt
  const last = output.trimEnd().split('\n').at(-1) ?? ''
  if (!last.startsWith('{')) throw new Error(`load at ${target.url}: ${output}`)
  const processorMs = Number(child.resourceUsage()?.cpuTime.total ?? 0) / 1000
  return { ...(JSON.parse(last) as Omit<Load, 'processorShare'>), processorShare: processorMs / wallMs }
}

function commandOf({ url, lookupPath, keys, connections, seconds, form = 'single', token = '' }: Target): string[] {
  if (!wrk) {
    const script = join(import.meta.dir, 'sockets.ts')
    return [process.execPath, script, url, lookupPath, String(keys), String(connections), String(seconds), form, token]
  }
  const script = join(import.meta.dir, 'lookups.lua')
  const rate = ['-t1', `-c${connections}`, `-d${seconds}s`, '--timeout', '20s']
  return [wrk, ...rate, '-s', script, url, '--', lookupPath, String(keys), form, String(keysOf(form)), token]
}
