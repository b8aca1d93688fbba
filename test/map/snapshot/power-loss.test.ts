/**
 * Power is lost, or the process killed, at any operation of a snapshot. What is on the disk then is whole: the last snapshot that
 * was taken, or the one that was under way.
 */
import { expect, test } from 'bun:test'
import type { PlannedSegment } from '../../../lib/map/snapshot/plan.ts'
import { writeSnapshot } from '../../../lib/map/snapshot/write-snapshot.ts'
import type { Capture } from '../../../lib/map/writer/snapshot-access.ts'
import { PowerLoss, SimulatedDisk, systemError } from '../../support/map/snapshot/simulated-disk.ts'
import { type RunOptions, SnapshotRun } from '../../support/map/snapshot/snapshot-run.ts'
import { Random } from '../../support/random.ts'

interface Case {
  readonly random: Random
  readonly options?: RunOptions
  readonly prepare?: (disk: SimulatedDisk) => void
  /** Operation of the disk, in the last snapshot, at which the power is lost. Beyond the last one: after it. */
  readonly at: number
  readonly losesWrites: boolean
}

type Planted = Omit<Case, 'random' | 'at' | 'losesWrites'>

interface Outcome {
  readonly operations: number
  /** Of the snapshot that the next start used; 0 without one. */
  readonly generation: number
  readonly differences: readonly string[]
  readonly wrong: readonly string[]
}

/** Takes some snapshots, loses power in the last one, and starts again. Returns what is wrong then. */
async function crash({ random, options = {}, prepare, at, losesWrites }: Case): Promise<Outcome> {
  const disk = new SimulatedDisk()
  prepare?.(disk)
  const run = new SnapshotRun(disk, random, options)
  await run.fixture.openAll()
  let whole = 0
  const before = random.below(5)
  for (let i = 0; i < before; i++) {
    run.put(random.below(400))
    const taken = await run.take()
    if (taken.kind === 'taken') whole = taken.generation
  }
  run.put(random.below(400))
  const { operations } = disk
  disk.before = () => {
    if (disk.operations >= operations + at) throw new PowerLoss('power loss')
  }
  const last = await run.take()
  const atMost = before + 1
  if (last.kind === 'taken') whole = last.generation
  const used = disk.operations - operations
  disk.before = () => {}
  if (losesWrites) disk.losePower(() => random.next())
  const next = new SnapshotRun(disk, random, options, run.operations)
  const { generation, position, faults } = await next.restore()
  const wrong = faults.map(({ message }) => message)
  if (generation < whole || generation > atMost) wrong.push(`snapshot ${generation} instead of ${whole} to ${atMost}`)
  await next.replay(position)
  const differences = next.differences()
  return { operations: used, generation, differences, wrong: [...wrong, ...differences] }
}

test('killed at any operation: the last snapshot is whole', async () => {
  const { seed } = Random.of('kill at any operation')
  let at = 0
  for (; ; at++) {
    const { operations, wrong } = await crash({ random: new Random(seed), at, losesWrites: false })
    expect({ at, wrong }).toEqual({ at, wrong: [] })
    if (operations < at) break
  }
  expect(at).toBeGreaterThan(12)
})

async function lossesUntilWrong(random: Random, rounds: number, planted: Planted) {
  for (let round = 0; round < rounds; round++) {
    const at = random.below(random.below(2) === 0 ? 80 : 30)
    const { wrong } = await crash({ random, at, losesWrites: true, ...planted })
    if (wrong.length > 0) return { round, wrong }
  }
  return undefined
}

test('power lost at any operation, with any set of unsynced writes: the last snapshot is whole', async () => {
  expect(await lossesUntilWrong(Random.of('power loss'), 400, {})).toBeUndefined()
})

/** Of syncs of the log some fail, and what was to be synced is lost. */
function failSomeSyncs(disk: SimulatedDisk, random: Random): void {
  disk.before = (operation, path) => {
    if (operation === 'sync' && path.includes('/log-') && random.below(3) === 0) throw systemError('EIO')
  }
}

test('syncs fail before the power is lost: the last snapshot is whole', async () => {
  const random = Random.of('failed syncs')
  const planted = { prepare: (disk: SimulatedDisk) => failSomeSyncs(disk, random) }
  expect(await lossesUntilWrong(random, 200, planted)).toBeUndefined()
})

test('a disk lies about its syncs before the power is lost: what is not whole is not used, and nothing is wrong', async () => {
  const random = Random.of('lying disk')
  const used = new Map<boolean, number>()
  for (let round = 0; round < 150; round++) {
    const share = random.next()
    const prepare = (disk: SimulatedDisk) => {
      disk.lies = () => random.next() < share
    }
    const at = random.below(random.below(2) === 0 ? 80 : 30)
    const { generation, differences } = await crash({ random, at, losesWrites: true, prepare })
    expect({ round, differences }).toEqual({ round, differences: [] })
    used.set(generation > 0, (used.get(generation > 0) ?? 0) + 1)
  }
  // Else the test says nothing.
  for (const isUsed of [true, false]) expect(used.get(isUsed)).toBeGreaterThan(10)
})

const defects: Record<string, Planted> = {
  'the manifest is written before the data are synced': {
    prepare: (disk) => {
      disk.lies = (path) => /\/(log|index)-/.test(path)
    },
  },
  'the names of data files are not synced': {
    prepare: (disk) => {
      disk.syncDirectory = () => {}
    },
  },
  'a slot is used again while the last manifest names it': {
    options: { write: (job, disk, post) => writeSnapshot({ ...job, segments: dense(job.segments) }, disk, post) },
  },
  'the index has the same name in all generations': {
    prepare: (disk) => {
      disk.alias = (path) => path.replace(/index-\d+/, 'index')
    },
  },
  'entries of waiting operations count as live': {
    options: {
      plant: ({ snapshots }) => {
        const capture = snapshots.capture.bind(snapshots)
        snapshots.capture = async (...of) => countWaiting(await capture(...of))
      },
    },
  },
}

for (const [defect, planted] of Object.entries(defects)) {
  test(`the check finds a fault when ${defect}`, async () => {
    const found = await lossesUntilWrong(Random.of(defect), 2000, planted)
    expect(found?.wrong).not.toBeEmpty()
    console.log(`${defect}: round ${found?.round}, ${found?.wrong[0]}`)
  })
}

/** In slots from 0 on, without regard to what is there. */
function dense(segments: readonly PlannedSegment[]): PlannedSegment[] {
  let next = 0
  return segments.map((segment) => {
    const slot = next
    next += segment.run
    return { ...segment, slot, from: 0, sum: undefined }
  })
}

function countWaiting(capture: Capture): Capture {
  const segments = capture.segments.map((segment) => ({
    ...segment,
    liveBytes: segment.sealed ? segment.liveBytes : Math.min(segment.used, segment.liveBytes + 64),
  }))
  return { ...capture, segments }
}
