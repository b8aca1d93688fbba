import { LatchkeyError } from '../errors.ts'
import type { FormatSpec } from './formats-config.ts'

/** Part of a format that is wrong. Messages about settings name the setting for it. */
export type FormatPart = 'file' | 'message' | 'registry'

/** @param found the rest of a sentence: what is wrong with this part, and what to do */
export function formatFault(format: FormatSpec['format'], part: FormatPart, found: string): LatchkeyError {
  return new LatchkeyError('invalid_settings', `Making the codec of ${format}: ${found}`, { details: { part, found } })
}
