import { expect, test } from 'bun:test'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { SnapshotLock } from '../../lib/store/snapshot-lock.ts'
import { temporaryFolder } from '../support/process/temporary-folder.ts'
import { captureLog } from '../support/store-thread/stand-ins.ts'
import { until } from '../support/until.ts'

test('one has the lock, and another gets it when it is released', async () => {
  const lines = captureLog()
  const folder = temporaryFolder('snapshots')
  const path = join(folder, 'orders')
  let later = 0
  const first = new SnapshotLock(path, () => later++)
  const second = new SnapshotLock(path, () => later++, 5)
  try {
    expect([first.state, second.state]).toEqual([{ isSnapshotsLocked: true }, { isSnapshotsLocked: false }])
    expect(lines.join('\n')).toContain(
      `Locking snapshots in ${path}: another process holds its lock. The store runs without, and tries again each minute. Give each instance on this host a SNAPSHOT_DIR of its own`,
    )
    first.release()
    await until('the second has it', () => later === 1)
    expect(second.state).toEqual({ isSnapshotsLocked: true })
  } finally {
    first.release()
    second.release()
    rmSync(folder, { recursive: true, force: true })
  }
})

test('a directory that cannot be made is not tried again: its store threads report it', () => {
  const lines = captureLog()
  const folder = temporaryFolder('snapshots')
  try {
    writeFileSync(join(folder, 'file'), '')
    const lock = new SnapshotLock(join(folder, 'file', 'orders'), () => {})
    expect(lock.state).toEqual({ isSnapshotsLocked: false })
    expect(lines).toEqual([])
    lock.release()
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})
