/**
 * The longest time that a lookup had to wait while others were under way in the store: one lookup every millisecond or so, by turns with
 * one of a server that always answers the same, whose longest wait is what the loaded machine itself does to anybody.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import type { RunningStore } from '../contenders/index.ts'

/** Milliseconds. */
export interface Pauses {
  pauseMs: number
  /** Without the time in which the machine itself stood still; the same as above where that is not known. */
  ownMs: number
  /** Of the constant answer. */
  noiseMs: number
  noiseOwnMs: number
  /** The longest time in which the machine stood still; undefined where only root may find out. */
  standstillMs: number | undefined
}

/**
 * Watches from now on, from a separate process, and in a separate session: beside other busy processes it would wait for a
 * processor itself. It ends with this process, whose pipe it reads.
 */
export async function watchPauses(store: RunningStore, keys: number): Promise<{ end(): Promise<Pauses> }> {
  const script = join(import.meta.dir, 'pause-watch.ts')
  const args = [script, store.url, store.lookupPath, String(keys)]
  const child = spawn(process.execPath, args, { detached: true, stdio: ['pipe', 'pipe', 'inherit'] })
  await once(child, 'spawn')
  const output = text(child.stdout)
  return {
    async end() {
      child.stdin.end()
      return JSON.parse(await output) as Pauses
    },
  }
}
