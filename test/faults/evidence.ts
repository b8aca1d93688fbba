import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { FaultRun } from '../support/fault-run/fault-run.ts'

/** Writes what was found wrong with a round, and the output of every instance, where a folder for that was named. */
export function keepEvidence(run: FaultRun, found: readonly string[], folder: string | undefined): void {
  if (folder === undefined) return
  const own = join(folder, run.topic)
  mkdirSync(own, { recursive: true })
  writeFileSync(join(own, 'violations'), `${found.join('\n\n')}\n`)
  const seen = { instances: run.instances, losses: run.losses, commits: run.recorder.commits }
  writeFileSync(join(own, 'seen.json'), JSON.stringify(seen, undefined, 1))
  for (const [index, { stdout, stderr }] of run.processes.entries()) {
    writeFileSync(join(own, `instance-${index}`), `${stdout}\n${stderr}`)
  }
  console.log(`  kept in ${own}`)
}
