/** Keys that no request to another instance has room for: it would be refused as a whole, with the other keys in it. */
import { LatchkeyError } from '../errors.ts'

/** A server takes a mebibyte of a body. */
export const keyBytesMax = 900_000

/** @param attempted beginning of the message */
export function keyTooLong(attempted: string): LatchkeyError {
  const found = `the key belongs to another instance, and has more than ${keyBytesMax} bytes`
  return new LatchkeyError('invalid_key', `${attempted}: ${found}`)
}
