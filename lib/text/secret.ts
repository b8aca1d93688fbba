/** Comparison of secrets. */
import { timingSafeEqual } from 'node:crypto'

const digestBytes = 32

/**
 * Returns a function that compares texts with a secret. It compares digests: the comparison takes the same time for
 * every input, and reveals neither the length nor the beginning of the secret.
 */
export function secretCheck(secret: string): (given: string) => boolean {
  const expected = Bun.SHA256.hash(secret, new Uint8Array(digestBytes))
  // Overwritten by each comparison and read at once.
  const found = new Uint8Array(digestBytes)
  return (given) => {
    Bun.SHA256.hash(given, found)
    return timingSafeEqual(found, expected)
  }
}
