/** A bit is flipped, or the end cut off, in each kind of file: it is named and set aside, and no answer is wrong. */
import { expect, test } from 'bun:test'
import { SimulatedDisk } from '../../support/map/snapshot/simulated-disk.ts'
import { path, SnapshotRun } from '../../support/map/snapshot/snapshot-run.ts'
import { Random } from '../../support/random.ts'

const partitionPath = `${path}/0`

async function twoSnapshots(random: Random): Promise<{ disk: SimulatedDisk; run: SnapshotRun }> {
  const disk = new SimulatedDisk()
  const run = new SnapshotRun(disk, random)
  await run.fixture.openAll()
  for (let i = 0; i < 2; i++) {
    run.put(500)
    expect(await run.take()).toMatchObject({ kind: 'taken' })
  }
  run.put(20)
  return { disk, run }
}

/** Starts again, and returns what was found and used. */
async function restart(disk: SimulatedDisk, { operations }: SnapshotRun) {
  const run = new SnapshotRun(disk, new Random(1), {}, operations)
  const { generation, position, faults } = await run.restore()
  await run.replay(position)
  expect(run.differences()).toEqual([])
  return { run, generation, faults }
}

function damage(bytes: Uint8Array, random: Random): Uint8Array<ArrayBuffer> {
  if (random.below(2) === 0) return bytes.slice(0, random.below(bytes.length))
  const damaged = bytes.slice()
  damaged[random.below(bytes.length)]! ^= 1 << random.below(8)
  return damaged
}

for (const file of ['manifest-2', 'index-2', 'log-1']) {
  test(`damage in ${file}: the snapshot before is used, or none, and what is damaged is met once`, async () => {
    const random = Random.of(`damage in ${file}`)
    const seen = new Set<number>()
    for (let round = 0; round < 60; round++) {
      const { disk, run } = await twoSnapshots(random)
      const content = disk.content(`${partitionPath}/${file}`)
      content.bytes = damage(content.bytes, random)
      const first = await restart(disk, run)
      seen.add(first.generation)
      if (first.faults.length === 0) {
        // Nothing names these bytes of the log.
        expect([file, first.generation]).toEqual(['log-1', 2])
        continue
      }
      expect(first.faults.map(({ reason }) => reason)).not.toContain('unreadable')
      expect(first.faults[0]!.message).toContain(file.startsWith('manifest') ? `${partitionPath}/${file}` : file)
      expect(disk.list(partitionPath).filter((name) => name.startsWith('damaged-'))).toHaveLength(1)
      const second = await restart(disk, run)
      expect(second).toMatchObject({ generation: first.generation, faults: [] })
      expect(await second.run.take()).toMatchObject({ kind: 'taken', generation: 3 })
      expect(await restart(disk, second.run)).toMatchObject({ generation: 3, faults: [] })
    }
    expect(seen).toContain(1)
  })
}

test('a damaged seed is set aside: no snapshot of before is used, and the next ones are', async () => {
  const random = Random.of('damaged seed')
  for (let round = 0; round < 20; round++) {
    const { disk, run } = await twoSnapshots(random)
    const content = disk.content(`${path}/seed`)
    content.bytes = damage(content.bytes, random)
    const first = await restart(disk, run)
    expect(first.run.directory.isSeedReplaced).toBe(true)
    expect(first).toMatchObject({ generation: 0, faults: [{ reason: 'foreign' }, { reason: 'foreign' }] })
    expect(await first.run.take()).toMatchObject({ kind: 'taken', generation: 3 })
    expect(disk.list(partitionPath).toSorted()).toEqual(['index-3', 'log-3', 'manifest-3'])
    expect(await restart(disk, first.run)).toMatchObject({ generation: 3, faults: [] })
  }
})

test('data files that are missing are damage', async () => {
  for (const file of ['index-2', 'log-1']) {
    const { disk, run } = await twoSnapshots(new Random(3))
    disk.remove(`${partitionPath}/${file}`)
    const { generation, faults } = await restart(disk, run)
    expect({ generation, reason: faults[0]?.reason }).toEqual({
      generation: file === 'log-1' ? 0 : 1,
      reason: 'damaged',
    })
  }
})
