/** The snapshot thread on the file system of the machine, and what happens when it hangs or ends. */
import { afterAll, expect, test } from 'bun:test'
import { readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { getPriority } from 'node:os'
import { join } from 'node:path'
import {
  openSnapshotDirectory,
  restoreSnapshot,
  type SnapshotDirectory,
  SnapshotWriter,
} from '../../../lib/map/index.ts'
import {
  hurried,
  paceWord,
  type SnapshotJob,
  type ThreadJob,
  unhurried,
} from '../../../lib/map/snapshot/snapshot-job.ts'
import type { SnapshotPortEvents } from '../../../lib/map/snapshot/start-snapshot-thread.ts'
import { createFixture } from '../../support/map/map-pair.ts'
import { temporaryFolder } from '../../support/process/temporary-folder.ts'
import { until } from '../../support/until.ts'

const folder = temporaryFolder('snapshots')

afterAll(() => rmSync(folder, { recursive: true, force: true }))

function directoryAt(name: string): SnapshotDirectory {
  const opened = openSnapshotDirectory(join(folder, name))
  if ('fault' in opened) throw new Error(opened.fault.message)
  return opened.directory
}

test('a thread writes snapshots that a later map restores; only the owner can read the files', async () => {
  const directory = directoryAt('written')
  const { map, put, openAll } = createFixture({ seed: directory.seed })
  const writer = new SnapshotWriter(map, directory)
  await openAll()
  for (let i = 0; i < 3; i++) {
    for (let key = 0; key < 500; key++) put(0, `key ${key}`, `value ${i} of ${key}`)
    await map.publish()
    expect(await writer.take(0, { round: i })).toMatchObject({ kind: 'taken', generation: i + 1, entries: 500 })
  }
  writer.close()
  const path = join(folder, 'written')
  expect(readdirSync(join(path, '0')).toSorted()).toEqual(['index-2', 'index-3', 'log-1', 'manifest-2', 'manifest-3'])
  for (const name of ['.', '0', 'seed', '0/index-3', '0/log-1', '0/manifest-3']) {
    const { mode } = statSync(join(path, name))
    expect([name, (mode & 0o777).toString(8)]).toEqual([name, name === '.' || name === '0' ? '700' : '600'])
  }
  const later = directoryAt('written')
  const [candidate] = later.candidates(0).snapshots
  expect(candidate!.manifest).toMatchObject({ entries: 500, facts: { round: 2 } })
  const next = createFixture({ seed: later.seed })
  expect(await restoreSnapshot(next.map, candidate!)).toBeUndefined()
  await next.openAll()
  for (let key = 0; key < 500; key++) expect(next.text(`key ${key}`)).toBe(`value 2 of ${key}`)
})

/** Niceness of each thread of this process: see proc_pid_stat(5). */
function niceness(): number[] {
  return readdirSync('/proc/self/task').map((thread) => {
    const fields = readFileSync(`/proc/self/task/${thread}/stat`, 'utf8').split(') ').at(-1)!
    return Number(fields.split(' ')[16])
  })
}

test('the thread leaves the processors to the threads that ingest and answer', async () => {
  const directory = directoryAt('priority')
  const { map, openAll } = createFixture({ seed: directory.seed })
  await openAll()
  const usual = getPriority(0)
  const writer = new SnapshotWriter(map, directory)
  expect(await writer.take(0, {})).toMatchObject({ kind: 'taken' })
  expect(niceness()).toContain(Math.min(19, usual + 5))
  expect(getPriority(0)).toBe(usual)
  writer.close()
})

async function withPort(silenceMaxMs: number, post: (job: ThreadJob, events: SnapshotPortEvents) => void) {
  const directory = directoryAt('ports')
  const fixture = createFixture({ seed: directory.seed })
  const terminated = Promise.withResolvers<void>()
  const writer = new SnapshotWriter(fixture.map, directory, {
    silenceMaxMs,
    start: (events) => ({ post: (job) => post(job, events), terminate: terminated.resolve }),
  })
  await fixture.openAll()
  for (let key = 0; key < 500; key++) fixture.put(0, `key ${key}`, `value of ${key}`)
  await fixture.map.publish()
  return { ...fixture, writer, terminated: terminated.promise }
}

test('a thread that hangs is ended, and the memory of the segments is used again', async () => {
  let posted: ThreadJob | undefined
  const { map, put, writer, terminated } = await withPort(20, (job) => {
    posted = job
  })
  const taken = await writer.take(0, {})
  expect(taken).toMatchObject({
    kind: 'failed',
    reason: 'thread',
    message: 'the snapshot thread has been silent for 0.02 s',
  })
  await terminated
  expect(writer.isOff).toBe(true)
  // Now the thread may not write a manifest any more, should it continue.
  expect(posted).toMatchObject({ kind: 'write' })
  expect(new Int32Array((posted as SnapshotJob).state)[0]).toBe(2)
  for (let round = 0; round < 20; round++) {
    for (let key = 0; key < 500; key++) put(0, `key ${key}`, `other value of ${key}`)
    await map.publish()
  }
  expect(map.memory.usedBytes).toBeLessThan(300_000)
  expect(await writer.take(0, {})).toMatchObject({ kind: 'failed', reason: 'thread' })
})

test('a thread that ends fails the snapshot that it writes and all later ones', async () => {
  const { writer } = await withPort(60_000, (_job, { ended }) => ended('out of memory'))
  const failure = { kind: 'failed', reason: 'thread', message: 'the snapshot thread has ended: out of memory' } as const
  expect(await writer.take(0, {})).toEqual(failure)
  expect(await writer.take(0, {})).toEqual(failure)
})

test('close fails the snapshot that is being written', async () => {
  const posted = Promise.withResolvers<void>()
  const { writer } = await withPort(60_000, () => posted.resolve())
  const taking = writer.take(0, {})
  await posted.promise
  writer.close()
  expect(await taking).toEqual({ kind: 'failed', reason: 'closed', message: 'the store is closed' })
})

test.each([false, true])(
  'a hurried snapshot makes no pauses, nor does a later one if it is lasting: %p',
  async (isLasting) => {
    const states: Int32Array[] = []
    const posted = Promise.withResolvers<SnapshotPortEvents>()
    const { writer } = await withPort(60_000, (job, events) => {
      states.push(new Int32Array((job as SnapshotJob).state))
      posted.resolve(events)
    })
    const taking = [writer.take(0, {}), writer.take(0, {})]
    const { received } = await posted.promise
    expect(states[0]![paceWord]).toBe(unhurried)
    writer.hurry(isLasting)
    expect(states[0]![paceWord]).toBe(hurried)
    const full = { kind: 'failed', reason: 'full', message: 'ENOSPC' } as const
    received({ kind: 'failed', failure: full, isLogLost: false })
    expect(await taking[0]).toEqual(full)
    await until('the next one is written', () => states.length === 2)
    expect(states[1]![paceWord]).toBe(isLasting ? hurried : unhurried)
    writer.close()
    await taking[1]
  },
)

test('a snapshot that keeps much dead memory makes no pauses any more', async () => {
  let state = new Int32Array(new SharedArrayBuffer(0))
  const posted = Promise.withResolvers<{ job: SnapshotJob; events: SnapshotPortEvents }>()
  const { map, put, writer } = await withPort(60_000, (job, events) => {
    state = new Int32Array((job as SnapshotJob).state)
    posted.resolve({ job: job as SnapshotJob, events })
  })
  const taking = writer.take(0, {})
  const { job, events } = await posted.promise
  const [first, second] = job.segments
  events.received({ kind: 'segment', number: first!.number })
  expect(state[paceWord]).toBe(unhurried)
  for (let key = 0; key < 500; key++) put(0, `key ${key}`, `other value of ${key}`)
  await map.publish()
  await map.publish()
  expect(map.snapshots.pinnedFreeBytes).toBeGreaterThan(0)
  events.received({ kind: 'segment', number: second!.number })
  expect(state[paceWord]).toBe(hurried)
  writer.close()
  await taking
  expect(map.snapshots.pinnedFreeBytes).toBe(0)
})

test('one snapshot is taken at a time', async () => {
  const full = { kind: 'failed', reason: 'full', message: 'ENOSPC' } as const
  let posted = 0
  const first = Promise.withResolvers<void>()
  const { writer } = await withPort(60_000, (_job, { received }) => {
    posted++
    first.resolve()
    setImmediate(() => received({ kind: 'failed', failure: full, isLogLost: false }))
  })
  const both = Promise.all([writer.take(0, {}), writer.take(0, {})])
  await first.promise
  expect(posted).toBe(1)
  expect(await both).toEqual([full, full])
  expect(posted).toBe(2)
})
