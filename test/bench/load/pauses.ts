/**
 * The longest time that a lookup had to wait while others were under way in the store: one lookup every millisecond or so, by turns with
 * one of a server that always answers the same, whose longest wait is what the loaded machine itself does to anybody.
 */
import { join } from 'node:path'
import type { RunningStore } from '../contenders/index.ts'

export interface Pauses {
  pauseMs: number
  noiseMs: number
}

/** Watches from now on, from a process of its own. */
export async function watchPauses(store: RunningStore, keys: number): Promise<{ end(): Promise<Pauses> }> {
  const script = join(import.meta.dir, 'pause-watch.ts')
  const command = [process.execPath, script, store.url, store.lookupPath, String(keys)]
  const child = Bun.spawn(command, { stdin: 'pipe', stdout: 'pipe', stderr: 'inherit' })
  return {
    async end() {
      await child.stdin.end()
      return (await new Response(child.stdout).json()) as Pauses
    },
  }
}
