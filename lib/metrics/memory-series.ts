/** Memory of keys, values and their index, and its bound. */
import type { MemoryStatus } from '../store-protocol/status.ts'
import type { SeriesRegistry } from './series.ts'

export function registerMemory(series: SeriesRegistry, read: () => MemoryStatus): void {
  series.gauge('memory_max_bytes', 'MEMORY_MAX: memory that the process may take, 0 without a bound', () => {
    return read().max ?? 0
  })
  series.gauge(
    'memory_budget_bytes',
    'What MEMORY_MAX leaves for keys, values and their index, 0 without a bound',
    () => read().budget ?? 0,
  )
  series.gauge('memory_used_bytes', 'What keys, values and their index take, with dead entries', () => read().used)
  series.gauge('memory_free_bytes', 'What was freed and is kept for later entries', () => read().free)
  series.gauge('memory_full', '1 while memory is full and nothing more is read', () => {
    return read().state === 'full' ? 1 : 0
  })
}
