import { expect, test } from 'bun:test'
import { existsSync, mkdtempSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { until } from '../until.ts'

const watchdog = join(import.meta.dir, 'watchdog.ts')

test.each(['SIGKILL', 'SIGINT', 'SIGTERM'] as const)(
  'a tied child and its folder are removed when the process that made them ends by %s',
  async (signal) => {
    const folder = mkdtempSync(join(tmpdir(), 'latchkey-watchdog-'))
    const program = `
      const { Watchdog } = await import(${JSON.stringify(watchdog)})
      const child = await new Watchdog(${JSON.stringify(folder)}).spawn(['sleep', '600'], ${JSON.stringify(join(folder, 'output'))})
      console.log(child.pid)
      setInterval(() => {}, 1000)`
    const parent = Bun.spawn([process.execPath, '-e', program], { stdout: 'pipe', stderr: 'inherit' })
    const { value } = await parent.stdout.getReader().read()
    const pid = Number(new TextDecoder().decode(value))
    expect(isAlive(pid)).toBe(true)
    parent.kill(signal)
    await parent.exited
    await until('child and folder are removed', () => !isAlive(pid) && !existsSync(folder))
  },
)

/** A zombie is dead: who reaps an orphan, and when, is the machine's affair. */
function isAlive(pid: number): boolean {
  const state = existsSync('/proc/self/stat') ? stateInProc(pid) : stateByPs(pid)
  return state !== '' && !state.startsWith('Z')
}

function stateInProc(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1] ?? ''
  } catch {
    return ''
  }
}

function stateByPs(pid: number): string {
  return Bun.spawnSync(['ps', '-o', 'stat=', '-p', String(pid)])
    .stdout.toString()
    .trim()
}
