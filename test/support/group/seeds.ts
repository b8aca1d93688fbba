/** Seeds of a property: LATCHKEY_SEEDS is how many, LATCHKEY_SEED the first one. */
import { Random } from '../random.ts'

const seedCount = Number(process.env['LATCHKEY_SEEDS'] ?? 200)

/** Checks a property for many seeds. The error of a failure names its seed. */
export function forSeeds(check: (random: Random) => void): void {
  const first = Number(process.env['LATCHKEY_SEED'] ?? 1)
  for (let seed = first; seed < first + seedCount; seed++) {
    try {
      check(new Random(seed))
    } catch (cause) {
      throw new Error(`with LATCHKEY_SEED=${seed}: ${String(cause)}`, { cause })
    }
  }
}
