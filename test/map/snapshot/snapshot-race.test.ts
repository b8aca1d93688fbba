/**
 * A thread writes snapshots of small segments while the map is overwritten at full speed, so that memory would be used again all the
 * time. The check is itself tested: without the pins of segments it has to find a fault.
 */
import { afterAll, expect, test } from 'bun:test'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import type { ChiralMap } from '../../../lib/map/index.ts'
import { systemDisk } from '../../../lib/map/snapshot/system-disk.ts'
import { SnapshotRun } from '../../support/map/snapshot/snapshot-run.ts'
import { temporaryFolder } from '../../support/process/temporary-folder.ts'
import { Random } from '../../support/random.ts'

const roundsMax = 3000
const folder = temporaryFolder('snapshot-race')

afterAll(() => rmSync(folder, { recursive: true, force: true }))

async function overwriteDuring<T>(run: SnapshotRun, taking: Promise<T>): Promise<T> {
  const state = { isTaking: true }
  const ended = taking.finally(() => {
    state.isTaking = false
  })
  // Bounded, because a slow disk takes long, and all operations are kept.
  for (let round = 0; state.isTaking && round < roundsMax; round++) {
    run.put(100)
    await run.publish()
    await Bun.sleep(1)
  }
  return ended
}

async function race(name: string, snapshots: number, plant: (map: ChiralMap) => void): Promise<string[]> {
  const random = Random.of(name)
  const options = { folder: join(folder, name), keys: 2000 }
  const run = new SnapshotRun(systemDisk, random, { ...options, plant })
  try {
    await run.fixture.openAll()
    run.put(6000)
    for (let i = 0; i < snapshots; i++) {
      expect(await overwriteDuring(run, run.take())).toMatchObject({ kind: 'taken' })
      const next = new SnapshotRun(systemDisk, random, options, run.operations)
      const { generation, position, faults } = await next.restore()
      const wrong = [...faults.map(({ message }) => message), ...next.impossible(position)]
      if (generation !== i + 1) wrong.push(`snapshot ${generation} instead of ${i + 1}`)
      if (wrong.length > 0) return wrong
      await next.replay(position)
      expect(next.differences()).toEqual([])
    }
    return []
  } finally {
    run.writer.close()
  }
}

test('a snapshot is whole when the map is overwritten while it is written', async () => {
  expect(await race('pinned', 10, () => {})).toEqual([])
}, 60_000)

test('the check finds a fault when segments are not pinned', async () => {
  const wrong = await race('not pinned', 200, ({ snapshots }) => {
    const capture = snapshots.capture.bind(snapshots)
    snapshots.capture = async (...of) => {
      const captured = await capture(...of)
      for (const { number } of captured.segments) snapshots.unpin(number)
      return captured
    }
  })
  expect(wrong).not.toBeEmpty()
  console.log(`not pinned: ${wrong[0]}`)
}, 60_000)
