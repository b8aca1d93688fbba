import { expect, test } from 'bun:test'
import { readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ChiralMap, ChiralMapReaders, openSnapshotDirectory, SnapshotWriter } from '../../lib/map/index.ts'
import type { StoreConfig } from '../../lib/store-protocol/store-config.ts'
import { describeSnapshots } from '../../lib/store/snapshot-report.ts'
import { temporaryFolder } from '../support/process/temporary-folder.ts'
import { someFacts } from '../support/store-thread/snapshot-facts.ts'

const dayMs = 86_400_000
const now = 100 * dayMs

async function written(path: string, takenAt: { local: number; broker?: number }): Promise<void> {
  const opened = openSnapshotDirectory(path)
  if ('fault' in opened) throw new Error(opened.fault.message)
  const { directory } = opened
  const sizes = { partitions: [3], partitionCount: 4, initialCapacity: 0, readersMax: 1, readerThreads: 1 }
  const map: ChiralMap = new ChiralMap({
    ...sizes,
    seed: directory.seed,
    announce: (message) => map.confirmed(0, readers.receive(message)),
  })
  const readers = new ChiralMapReaders(map.shared, 0)
  map.open(3)
  for (const key of ['a', 'b']) map.put(3, Buffer.from(`${key}value`), 0, 1, 1, 5, 1, 1)
  await map.publish()
  const writer = new SnapshotWriter(map, directory)
  const taken = await writer.take(3, someFacts({ takenAt, deleteRetentionMs: 7 * dayMs }))
  expect(taken.kind).toBe('taken')
  writer.close()
}

test.each([
  [
    'a fresh one',
    { local: now - 34_000, broker: 1 },
    '1 partition, 2 entries, up to 34 seconds old; they can be used for 6 days more',
  ],
  ['one of a copy', { local: now - dayMs }, 'up to 1 day old; they can be used for 2 days more'],
  ['one that is too old', { local: now - 7 * dayMs, broker: 1 }, 'up to 7 days old; some are too old to be used'],
])(
  'a check says how long the snapshots on the disk can be used, and changes nothing: %s',
  async (_which, takenAt, expected) => {
    const folder = temporaryFolder('snapshots')
    const config = { snapshotDir: folder, storeId: 'orders', useProcessingOnly: false, fencing: true } as StoreConfig
    const path = join(folder, 'orders')
    try {
      expect(describeSnapshots(config, now)).toEqual([
        `snapshots in ${path}: none yet; a start reads the changelog from its start`,
      ])
      expect(readdirSync(folder)).toEqual([])
      await written(path, takenAt)
      const files = readdirSync(path, { recursive: true })
      const [line, ...more] = describeSnapshots(config, now)
      expect([line, more]).toEqual([expect.stringContaining(expected), []])
      expect(describeSnapshots({ ...config, rebuild: true }, now)).toEqual([
        expect.stringMatching(/ old; not used, because of --rebuild$/),
      ])
      expect(readdirSync(path, { recursive: true })).toEqual(files)
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  },
)

test('a check warns of a directory in which the kernel shows its state', () => {
  const config = { snapshotDir: '/proc/x', storeId: 'orders', useProcessingOnly: false, fencing: true } as StoreConfig
  expect(describeSnapshots(config, now)).toEqual([
    'warning: Writing snapshots to /proc/x/orders: the kernel makes up what is in /proc, which holds no files. The store would run without; correct SNAPSHOT_DIR',
  ])
})

test('a check says nothing of snapshots without a directory for them', () => {
  expect(describeSnapshots({ storeId: 'orders', useProcessingOnly: false } as StoreConfig)).toEqual([])
})

test('a check warns of a directory that snapshots cannot be written to', () => {
  const folder = temporaryFolder('snapshots')
  try {
    const file = join(folder, 'file')
    writeFileSync(file, '')
    const config = { snapshotDir: file, storeId: 'orders', useProcessingOnly: false, fencing: true } as StoreConfig
    expect(describeSnapshots(config, now)).toEqual([
      `warning: Writing snapshots to ${join(file, 'orders')}: ${file} is not a directory. The store would run without; correct SNAPSHOT_DIR`,
    ])
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})
