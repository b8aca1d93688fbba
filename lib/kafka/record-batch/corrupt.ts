import { LatchkeyError } from '../../errors.ts'

/**
 * Returns the error of a record batch that cannot be read.
 * @param attempted what was attempted, with the batch's offset: `Reading record batch at offset 42`
 * @param found what was found instead
 */
export function corrupt(
  attempted: string,
  found: string,
  details: Record<string, unknown> = {},
  cause?: unknown,
): LatchkeyError {
  return new LatchkeyError('record_batch_corrupt', `${attempted}: ${found}`, { details, cause })
}
