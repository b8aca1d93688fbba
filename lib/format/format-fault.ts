import { LatchkeyError } from '../errors.ts'
import { type FormatSpec } from './formats-config.ts'

/** The part of a format that is at fault: settings name the variable that gives it. */
export type FormatPart = 'file' | 'message' | 'registry'

/** @param found a sentence's end: what was found in this part, and what to do */
export function formatFault(format: FormatSpec['format'], part: FormatPart, found: string): LatchkeyError {
  return new LatchkeyError('invalid_settings', `Making the codec of ${format}: ${found}`, { details: { part, found } })
}
