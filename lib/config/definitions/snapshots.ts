/** Settings for snapshots of the store on the local disk. */
import * as v from 'valibot'
import { directoryPath, wholeNumber } from '../values.ts'

const secondsMax = 86_400

export const snapshotDefinitions = {
  snapshotDir: v.pipe(
    v.optional(directoryPath()),
    v.metadata({
      variable: 'SNAPSHOT_DIR',
      meaning:
        'Directory for snapshots of the entries, from which a restart recovers in a fraction of the time. It holds keys and values in the clear. One process at a time uses it: each instance on a host needs its own.',
      brief: 'Directory for snapshots, for fast restarts',
      allowed: 'the path of a directory',
      default: 'none: no snapshots',
    }),
  ),
  snapshotSeconds: v.pipe(
    v.optional(wholeNumber(1, secondsMax), '60'),
    v.metadata({
      variable: 'SNAPSHOT_SECONDS',
      meaning: 'Seconds after a snapshot at which the next one is taken, if anything has changed.',
      allowed: `a whole number from 1 to ${secondsMax}`,
      default: '60',
    }),
  ),
}
