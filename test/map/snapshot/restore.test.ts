import { expect, test } from 'bun:test'
import { SimulatedDisk } from '../../support/map/snapshot/simulated-disk.ts'
import { SnapshotRun } from '../../support/map/snapshot/snapshot-run.ts'
import { Random } from '../../support/random.ts'

test('a snapshot and the operations after it make the map, over many snapshots and restarts', async () => {
  const random = Random.of('snapshot and operations')
  const disk = new SimulatedDisk()
  let run = new SnapshotRun(disk, random)
  await run.fixture.openAll()
  for (let restart = 0; restart < 8; restart++) {
    let generation = 0
    for (let i = random.below(4); i >= 0; i--) {
      run.put(random.below(800))
      const taken = await run.take()
      if (taken.kind === 'failed') throw new Error(taken.message)
      generation = taken.generation
    }
    run.put(random.below(300))
    run = new SnapshotRun(disk, random, {}, run.operations)
    const restored = await run.restore()
    expect(restored).toMatchObject({ generation, faults: [] })
    await run.replay(restored.position)
    expect(run.differences()).toEqual([])
  }
})

test('a partition without entries is restored, and can be written', async () => {
  const disk = new SimulatedDisk()
  const run = new SnapshotRun(disk, new Random(1))
  await run.fixture.openAll()
  expect(await run.writer.take(0, { position: 0 })).toMatchObject({ kind: 'taken', entries: 0 })
  const next = new SnapshotRun(disk, new Random(2))
  expect(await next.restore()).toEqual({ generation: 1, position: 0, faults: [] })
  next.put(300)
  await next.fixture.openAll()
  expect(next.differences()).toEqual([])
})
