/** What --check says of the snapshots on the disk. Changes nothing there. */
import { accessSync, constants, statfsSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { messageOf } from '../errors.ts'
import { openSnapshotDirectory, readOnlyDisk } from '../map/index.ts'
import { ageOf, allowedAgeMs } from '../store-protocol/snapshot-age.ts'
import { factsIn } from '../store-protocol/snapshot-facts.ts'
import { snapshotPathOf, type StoreConfig } from '../store-protocol/store-config.ts'
import { counted } from '../text/counted.ts'

/** Returns lines to print; none without SNAPSHOT_DIR. */
export function describeSnapshots(config: StoreConfig, now = Date.now()): string[] {
  const path = snapshotPathOf(config)
  if (path === undefined) return []
  const whyNot = whyNotWritable(path)
  if (whyNot !== undefined) {
    return [`warning: Writing snapshots to ${path}: ${whyNot}. The store would run without; correct SNAPSHOT_DIR`]
  }
  const opened = openSnapshotDirectory(path, readOnlyDisk)
  const found = 'fault' in opened ? [] : usableIn(opened.directory, config, now)
  if (found.length === 0) return [`snapshots in ${path}: none yet; a start reads the changelog from its start`]
  const entries = found.reduce((sum, one) => sum + one.entries, 0)
  const ageMs = Math.max(...found.map((one) => one.ageMs))
  const leftMs = Math.min(...found.map((one) => one.leftMs))
  const what = `${counted(found.length, 'partition')}, ${entries} entries, up to ${durationOf(ageMs)} old`
  if (config.rebuild) return [`snapshots in ${path}: ${what}; not used, because of --rebuild`]
  const left = leftMs > 0 ? `they can be used for ${durationOf(leftMs)} more` : 'some are too old to be used'
  return [`snapshots in ${path}: ${what}; ${left}`]
}

/** Types of /proc, /sys and of control groups (statfs(2)), where root passes for one who can write. */
const kernelViews = new Set([0x9fa0, 0x62656572, 0x63677270, 0x27e0eb])

/**
 * Returns why a store could not write there. Of directories that do not exist yet, the nearest that does counts.
 * @param isOwn whether it is the directory of the store itself
 */
function whyNotWritable(path: string, isOwn = true): string | undefined {
  try {
    if (!statSync(path).isDirectory()) return `${path} is not a directory`
    if (kernelViews.has(statfsSync(path).type)) return `the kernel makes up what is in ${path}, which holds no files`
    accessSync(path, constants.W_OK | constants.X_OK)
    if (isOwn) readOnlyDisk.checkOwner(path)
    return undefined
  } catch (error) {
    const isMissing = ['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')
    return isMissing && dirname(path) !== path ? whyNotWritable(dirname(path), false) : messageOf(error)
  }
}

interface Usable {
  readonly entries: number
  readonly ageMs: number
  readonly leftMs: number
}

type Directory = Extract<ReturnType<typeof openSnapshotDirectory>, { directory: unknown }>['directory']

function usableIn(directory: Directory, { fencing, useReplicaOnly }: StoreConfig, now: number): Usable[] {
  const partitions = directory.disk.list(directory.path).filter((name) => /^\d{1,6}$/.test(name))
  return partitions.flatMap((name) => {
    const [last] = directory.candidates(Number(name)).snapshots
    const facts = factsIn(last?.manifest.facts)
    if (last === undefined || facts === undefined) return []
    const { ms } = ageOf(facts.takenAt, { local: now })
    const isProved = fencing && !useReplicaOnly && facts.takenAt.broker !== undefined
    return [{ entries: last.manifest.entries, ageMs: ms, leftMs: allowedAgeMs(facts.deleteRetentionMs, isProved) - ms }]
  })
}

const units: readonly (readonly [name: string, ms: number])[] = [
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
  ['second', 1_000],
]

/** Returns for example `6 days`, rounded down. */
function durationOf(ms: number): string {
  const [name, size] = units.find(([, one]) => ms >= one) ?? units.at(-1)!
  return counted(Math.floor(ms / size), name)
}
