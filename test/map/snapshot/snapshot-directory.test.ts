/** What a directory may hold when it is opened: nothing, the files of another version, or something else. */
import { afterAll, expect, test } from 'bun:test'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { lockSnapshots, openSnapshotDirectory } from '../../../lib/map/index.ts'
import { openSealedJson, sealJson } from '../../../lib/map/snapshot/sealed-json.ts'
import { SimulatedDisk, systemError } from '../../support/map/snapshot/simulated-disk.ts'
import { directoryOn, path, SnapshotRun } from '../../support/map/snapshot/snapshot-run.ts'
import { temporaryFolder } from '../../support/process/temporary-folder.ts'
import { Random } from '../../support/random.ts'

const folder = temporaryFolder('snapshot-directory')

afterAll(() => rmSync(folder, { recursive: true, force: true }))

async function twoSnapshots(): Promise<{ disk: SimulatedDisk; run: SnapshotRun }> {
  const disk = new SimulatedDisk()
  const run = new SnapshotRun(disk, new Random(5))
  await run.fixture.openAll()
  for (let i = 0; i < 2; i++) {
    run.put(300)
    await run.take()
  }
  return { disk, run }
}

function change(disk: SimulatedDisk, name: string, fields: Record<string, unknown>): void {
  const content = disk.content(`${path}/0/${name}`)
  const { value } = openSealedJson(content.bytes)!
  content.bytes = new Uint8Array(sealJson({ ...(value as object), ...fields }))
}

test.each(['log-999999999999999', 'index-999999999999999', 'manifest-999999999999999'])(
  'a stray file with a high number (%s) is removed, and later snapshots are found',
  async (stray) => {
    const { disk, run } = await twoSnapshots()
    disk.open(`${path}/0/${stray}`, 'empty').close()
    const next = new SnapshotRun(disk, new Random(1), {}, run.operations)
    const { generation, position } = await next.restore()
    expect(generation).toBe(2)
    await next.replay(position)
    expect(await next.take()).toMatchObject({ kind: 'taken', generation: 3 })
    const names = disk.list(`${path}/0`).filter((each) => !each.startsWith('damaged-'))
    expect(names.toSorted()).toEqual(['index-2', 'index-3', 'log-1', 'manifest-2', 'manifest-3'])
    const last = new SnapshotRun(disk, new Random(2), {}, next.operations)
    expect(await last.restore()).toMatchObject({ generation: 3 })
  },
)

test.each([{ format: 2 }, { format: 2, segments: 'of another kind' }, { layout: 2 }])(
  'files of a later version (%j) are left alone until the next snapshot',
  async (fields) => {
    const { disk, run } = await twoSnapshots()
    change(disk, 'manifest-2', fields)
    const names = disk.list(`${path}/0`).toSorted()
    const next = new SnapshotRun(disk, new Random(1), {}, run.operations)
    expect(await next.restore()).toMatchObject({ generation: 0, faults: [{ reason: 'newer' }] })
    expect(disk.list(`${path}/0`).toSorted()).toEqual(names)
    await next.replay(0)
    expect(await next.take()).toMatchObject({ kind: 'taken', generation: 3 })
    expect(disk.list(`${path}/0`).toSorted()).toEqual(['index-3', 'log-3', 'manifest-3'])
  },
)

test.each([
  [{ byteOrder: 'big' }, 'foreign'],
  [{ seed: '0000000000000000' }, 'foreign'],
  [{ partition: 1 }, 'damaged'],
  [{ generation: 1 }, 'damaged'],
  [{ entries: 1e9 }, 'damaged'],
  [{ entries: 3 }, 'damaged'],
  [{ segmentBytes: 12 }, 'damaged'],
  [{ index: { bits: 40, sum: '0000000000000000' } }, 'damaged'],
  [{ segments: [] }, 'damaged'],
  [{ log: 'other' }, 'damaged'],
] as const)('a manifest with %j is %s, and the one before is used', async (fields, reason) => {
  const { disk, run } = await twoSnapshots()
  change(disk, 'manifest-2', fields)
  const next = new SnapshotRun(disk, new Random(1), {}, run.operations)
  const { generation, position, faults } = await next.restore()
  expect({ generation, reasons: faults.map((fault) => fault.reason) }).toEqual({ generation: 1, reasons: [reason] })
  await next.replay(position)
  expect(next.differences()).toEqual([])
})

test.each([{ number: 2 ** 40 }, { run: 2 ** 40 }])('a segment with %j is damaged', async (fields) => {
  const { disk, run } = await twoSnapshots()
  const { value } = openSealedJson(disk.content(`${path}/0/manifest-2`).bytes)!
  const { segments } = value as { segments: object[] }
  change(disk, 'manifest-2', { segments: segments.with(0, { ...segments[0], sealed: true, ...fields }) })
  const { generation, faults } = await new SnapshotRun(disk, new Random(1), {}, run.operations).restore()
  expect({ generation, faults }).toMatchObject({ generation: 1, faults: [{ reason: 'damaged' }] })
})

test('what cannot be read is a fault, and is not set aside', async () => {
  const { disk, run } = await twoSnapshots()
  const names = disk.list(`${path}/0`).toSorted()
  disk.readWhole = (name) => {
    if (name.includes('manifest-')) throw systemError('EIO')
    return disk.content(name).bytes
  }
  const next = new SnapshotRun(disk, new Random(1), {}, run.operations)
  const { generation, faults } = await next.restore()
  expect({ generation, reasons: faults.map(({ reason }) => reason) }).toEqual({
    generation: 0,
    reasons: ['unreadable', 'unreadable'],
  })
  expect(disk.list(`${path}/0`).toSorted()).toEqual(names)
})

test('all that open a directory have the same seed, and it is not the one of another directory', () => {
  const disk = new SimulatedDisk()
  const { seed } = directoryOn(disk)
  expect(directoryOn(disk).seed).toEqual(seed)
  expect(directoryOn(new SimulatedDisk()).seed).not.toEqual(seed)
  // Another one that makes the seed at the same time was faster.
  const raced = new SimulatedDisk()
  let first: readonly number[] = []
  raced.before = (operation) => {
    if (operation !== 'link') return
    raced.before = () => {}
    first = directoryOn(raced).seed
  }
  expect(directoryOn(raced).seed).toEqual([first[0]!, first[1]!])
})

test('a directory is locked by one process, and a file in its place is a fault', async () => {
  const at = join(folder, 'locked')
  const locked = lockSnapshots(at)
  if ('whyNot' in locked) throw new Error(locked.whyNot)
  expect(lockSnapshots(at)).toEqual({ whyNot: 'another process holds its lock', isTaken: true })
  locked.release()
  expect(lockSnapshots(at)).toHaveProperty('release')
  writeFileSync(join(folder, 'file'), '')
  expect(lockSnapshots(join(folder, 'file'))).toMatchObject({ whyNot: expect.stringMatching(/EEXIST|ENOTDIR/) })
  expect(openSnapshotDirectory(join(folder, 'file'))).toMatchObject({ fault: { reason: 'unreadable' } })
})

test('a directory that cannot be written has no seed', () => {
  const disk = new SimulatedDisk()
  disk.before = (operation) => {
    if (operation === 'open') throw systemError('EROFS')
  }
  const fault = { reason: 'unreadable', message: 'EROFS: simulated' } as const
  expect(openSnapshotDirectory(path, disk)).toEqual({ fault })
})
