import type { Bench } from './bench.ts'
import { conversions } from './conversions.ts'
import { endless } from './endless.ts'
import { feed } from './feed.ts'
import { freshness } from './freshness.ts'
import { group } from './group.ts'
import { large } from './large.ts'
import { limits } from './limits.ts'
import { memory } from './memory.ts'
import { peers } from './peers.ts'
import { reads } from './reads.ts'
import { resp } from './resp.ts'
import { restartSnapshot } from './restart-snapshot.ts'
import { restart } from './restart.ts'
import { scale } from './scale.ts'
import { shapes } from './shapes.ts'
import { snapshotWriting } from './snapshot-writing.ts'
import { start } from './start.ts'
import { threads } from './threads.ts'

/** Runs what the options ask for. Returns the tables of those that have their own. */
export async function runScenarios(bench: Bench): Promise<string[]> {
  const asked = new Set(bench.options.scenarios)
  const tables: string[] = []
  if (asked.has('start')) await start(bench)
  if (asked.has('peers') || asked.has('beside')) {
    await limits(bench)
    await peers(bench)
  }
  if (asked.has('large')) await large(bench)
  if (asked.has('freshness')) await freshness(bench)
  if (asked.has('shapes')) tables.push(...(await shapes(bench)))
  if (asked.has('conversions')) tables.push(...(await conversions(bench)))
  if (asked.has('threads')) tables.push(...(await threads(bench)))
  if (asked.has('scale')) await scale(bench)
  if (asked.has('endless')) await endless(bench)
  if (asked.has('resp')) await resp(bench)
  if (asked.has('reads')) await reads(bench)
  if (asked.has('restart')) await restart(bench)
  if (asked.has('feed')) await feed(bench)
  if (asked.has('memory')) await memory(bench)
  if (asked.has('snapshots')) tables.push(...(await restartSnapshot(bench)))
  if (asked.has('snapshot-writing')) await snapshotWriting(bench)
  if (asked.has('group')) await group(bench)
  return tables
}
