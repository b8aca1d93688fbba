/**
 * The lock of a store's snapshots, which one process has at a time. The thread that starts the store threads takes it,
 * for all of them. Without it the store runs without snapshots, and tries again each minute.
 */
import { loggerOf } from '../log/index.ts'
import { lockSnapshots, openSnapshotDirectory } from '../map/index.ts'
import { snapshotPathOf, type StoreConfig } from '../store-protocol/store-config.ts'
import type { StoreAccess } from './store-port.ts'

const log = loggerOf('snapshot')

const intervalMsDefault = 60_000
/** In a group an instance beside another one is usual. */
const takenAdvice = '. Give each instance on this host a SNAPSHOT_DIR of its own'

export class SnapshotLock {
  readonly #path: string
  readonly #locked: () => void
  #release: (() => void) | undefined
  #timer: ReturnType<typeof setInterval> | undefined

  /** @param locked called when the lock was taken later */
  constructor(path: string, locked: () => void, intervalMs = intervalMsDefault) {
    this.#path = path
    this.#locked = locked
    const whyNot = this.#try()
    if (whyNot === undefined) return
    // The store threads report a directory that they cannot open. That needs a restart, so it is not tried again here.
    if ('fault' in openSnapshotDirectory(path)) return
    const message = 'Locking snapshots in {path}: {whyNot}. The store runs without, and tries again each minute{advice}'
    log.warn(message, { path, whyNot: whyNot.reason, advice: whyNot.isTaken ? takenAdvice : '' })
    this.#timer = setInterval(() => this.#again(), intervalMs)
    this.#timer.unref()
  }

  /** Returns undefined if there is nothing to lock, or another thread locks it: the one that starts the store threads. */
  static of(config: StoreConfig, { readerThread }: StoreAccess, locked: () => void): SnapshotLock | undefined {
    const path = readerThread === 0 ? snapshotPathOf(config) : undefined
    return path === undefined ? undefined : new SnapshotLock(path, locked)
  }

  get state(): Pick<StoreConfig, 'isSnapshotsLocked'> {
    return { isSnapshotsLocked: this.#release !== undefined }
  }

  release(): void {
    clearInterval(this.#timer)
    this.#release?.()
    this.#release = undefined
  }

  #again(): void {
    if (this.#try() !== undefined) return
    clearInterval(this.#timer)
    log.info('Locked snapshots in {path}: snapshots are taken from now on', { path: this.#path })
    this.#locked()
  }

  /** Replaces a damaged seed file before the store threads read it. */
  #prepare(): void {
    const path = this.#path
    const opened = openSnapshotDirectory(path)
    if ('fault' in opened || !opened.directory.isSeedReplaced) return
    const message =
      'Opening snapshots in {path}: the seed file was damaged. It is replaced, and earlier snapshots are void'
    log.warn(message, { path })
  }

  /** @returns why there is no lock */
  #try(): { reason: string; isTaken: boolean } | undefined {
    const locked = lockSnapshots(this.#path)
    if ('whyNot' in locked) return { reason: locked.whyNot, isTaken: locked.isTaken === true }
    this.#release = () => locked.release()
    this.#prepare()
    return undefined
  }
}
