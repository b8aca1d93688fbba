import type { ShownState } from './shown-memory.ts'

/**
 * Memory may only show a file while something outside of this thread keeps it. The engine reuses freed memory as zeros,
 * because it has discarded the pages (madvise(2)). Discarded pages of a file have the content of the file.
 */
export interface MemoryKeeper {
  /**
   * Resolves with whether the memory is not freed before release(), even if this thread ends meanwhile.
   * The memory must not show a file before.
   */
  keep(buffer: SharedArrayBuffer): Promise<boolean>
  /**
   * Has another thread check memory that is kept and shows a file (stateOfShown).
   * @returns undefined if this thread has to do it
   */
  check?(memory: Uint8Array<SharedArrayBuffer>, sum: string): Promise<ShownState> | undefined
  /** No part of the memory shows a file any more. */
  release(buffer: SharedArrayBuffer): void
}
