import { readFileSync } from 'node:fs'
import { cpus, loadavg, totalmem } from 'node:os'
import type { Contenders } from './contenders/index.ts'
import { loadTool } from './load/load.ts'
import type { Options } from './options.ts'

/** Where and how it was measured, a line each. */
export function describeRun(options: Options, { ready, leftOut }: Contenders): string[] {
  const { records, partitions, valueBytes, rounds, connections } = options
  const gigabytes = Math.round(totalmem() / 2 ** 30)
  return [
    `${cpus().length} cores (${cpus()[0]?.model ?? 'unknown'}), ${gigabytes} GiB; broker, contender and load share them. Load average at the start: ${loadavg()[0]?.toFixed(2)}`,
    ...autogroups(),
    `${records} records, ${partitions} partitions, keys user-<n>, JSON values of ${valueBytes} bytes; ${rounds} rounds, the contenders by turns; medians (least to most)`,
    `Lookups: ${connections} connections by ${loadTool}`,
    ...ready.map(({ name, terms }) => `${name}: ${terms}`),
    ...leftOut.map(({ name, reason }) => `${name} is left out: ${reason}`),
  ]
}

/** What it does to pauses is in README.md. */
function autogroups(): string[] {
  try {
    const setting = readFileSync('/proc/sys/kernel/sched_autogroup_enabled', 'latin1').trim()
    return [
      `The processors are shared out among ${setting === '1' ? 'sessions' : 'threads'} (kernel.sched_autogroup_enabled=${setting})`,
    ]
  } catch {
    return []
  }
}
