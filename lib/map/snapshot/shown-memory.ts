/** Checks memory that shows a file. In any thread. */
import { readShown } from '../../linux/mapped-memory.ts'
import { sumOf } from './sealed-json.ts'

/** - unreadable: the system cannot read all of the file. Nothing may read the memory before it is reset. */
export type ShownState = 'right' | 'wrong' | 'unreadable'

/** @param sum of the content that the memory should have */
export function stateOfShown(memory: Uint8Array, sum: string): ShownState {
  if (!readShown(memory)) return 'unreadable'
  return sumOf(memory) === sum ? 'right' : 'wrong'
}
