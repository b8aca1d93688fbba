/** The module examples/count-updates.ts, and what it makes of a source. */
import type { LogRecord } from './topic-log.ts'

/** Settings of a store that has it. */
export const counting = { module: new URL('../../examples/count-updates.ts', import.meta.url).href }

/** Returns the values of a store that has consumed the records. */
export function counted(records: readonly LogRecord[]): Map<string, string> {
  const values = new Map<string, { key: string; n: number; updates: number }>()
  for (const { key, value } of records) {
    if (value === null) values.delete(key!)
    else {
      const { n } = JSON.parse(value) as { n: number }
      values.set(key!, { key: key!, n, updates: (values.get(key!)?.updates ?? -1) + 1 })
    }
  }
  return new Map([...values].map(([key, value]) => [key, JSON.stringify(value)]))
}
