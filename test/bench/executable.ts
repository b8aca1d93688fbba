/** The compiled executable as a process of its own, watched from outside as a user would. */
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const root = join(import.meta.dir, '../..')
const pollMs = 5
const startMaxMs = 600_000

export async function buildExecutable(): Promise<string> {
  const build = Bun.spawn([process.execPath, 'run', 'build'], { cwd: root, stdout: 'ignore', stderr: 'pipe' })
  if ((await build.exited) !== 0) throw new Error(`building: ${await new Response(build.stderr).text()}`)
  return join(root, 'dist/latchkey')
}

export interface Running {
  url: string
  /** Milliseconds from the start of the process to a state, or to readiness. */
  until(state: 'running' | 'ready'): Promise<number>
  metric(name: string): Promise<number>
  residentBytes(): Promise<number>
  stop(): Promise<void>
}

export async function startExecutable(path: string, settings: Record<string, string>): Promise<Running> {
  const directory = await mkdtemp(join(tmpdir(), 'latchkey-bench-'))
  const port = freePort()
  const url = `http://127.0.0.1:${port}`
  const env = { SERVER_BIND: '127.0.0.1', SERVER_PORT: String(port), LOG_LEVEL: 'warning', ...settings }
  const startedAt = performance.now()
  const child = Bun.spawn([path], { cwd: directory, env, stdout: 'ignore', stderr: 'inherit' })
  const get = (target: string) => fetch(url + target).catch(() => undefined)
  async function isAt(state: 'running' | 'ready'): Promise<boolean> {
    if (state === 'ready') return (await get('/readyz'))?.status === 200
    const status = (await (await get(`/status-store/${settings['STORE_ID']}`))?.json()) as
      { state?: string } | undefined
    return status?.state === 'running'
  }
  return {
    url,
    async until(state) {
      while (!(await isAt(state))) {
        if (child.exitCode !== null) throw new Error(`the executable ended with ${child.exitCode}`)
        if (performance.now() - startedAt > startMaxMs) throw new Error(`not ${state} within ${startMaxMs} ms`)
        await Bun.sleep(pollMs)
      }
      return performance.now() - startedAt
    },
    async metric(name) {
      const text = (await (await get('/metrics'))?.text()) ?? ''
      const lines = text.split('\n').filter((line) => line.startsWith(`${name} `) || line.startsWith(`${name}{`))
      return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0)
    },
    async residentBytes() {
      const status = await readFile(`/proc/${child.pid}/status`, 'utf8')
      return Number(/VmRSS:\s+(\d+) kB/.exec(status)![1]) * 1024
    },
    async stop() {
      child.kill('SIGTERM')
      await child.exited
      await rm(directory, { recursive: true })
    },
  }
}

function freePort(): number {
  const server = Bun.listen({ hostname: '127.0.0.1', port: 0, socket: { data() {} } })
  const { port } = server
  server.stop(true)
  return port
}
