import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const prefix = 'latchkey-'

/** A new folder named after its purpose and this process. Those of processes that were killed with all their children are removed. */
export function temporaryFolder(purpose: string): string {
  for (const name of readdirSync(tmpdir())) {
    const owner = new RegExp(`^${prefix}${purpose}-(\\d+)-`).exec(name)?.[1]
    if (owner && !isAlive(Number(owner))) rmSync(join(tmpdir(), name), { recursive: true, force: true })
  }
  return mkdtempSync(join(tmpdir(), `${prefix}${purpose}-${process.pid}-`))
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM' // someone else's
  }
}
