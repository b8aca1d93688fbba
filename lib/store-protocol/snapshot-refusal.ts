/**
 * Why the snapshot of a partition was not used at the last start. Crosses threads as an index, in the gauge
 * `snapshotRefusal`; `used` is the first.
 */
export const snapshotRefusals = [
  'used',
  /** There was none. */
  'none',
  /** Another process uses the directory. */
  'locked',
  'damaged',
  /** A later version of Latchkey wrote it. */
  'newer',
  /** Of another seed file. */
  'foreign',
  'unreadable',
  /** It does not fit into memory. */
  'memory',
  /** A rebuild comes first. */
  'rebuild',
  'other-cluster',
  'recreated',
  'records-deleted',
  'truncated',
  'records-lost',
  'too-old',
  /** A clock went backwards. */
  'clock',
  'other-headers',
  /** Records of an earlier owner, or of another program, follow it. */
  'late-records',
] as const
export type SnapshotRefusal = (typeof snapshotRefusals)[number]
