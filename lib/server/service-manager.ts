/**
 * Reports to the service manager, such as systemd with `Type=notify`: a start ends when the store is ready, not when
 * its process runs.
 */
import { monotonicMicroseconds } from '../linux/boot-time.ts'
import { openNotifySocket } from '../linux/notify.ts'
import type { RecoveryPhase, RecoveryProgress, StoreStatus } from '../store-protocol/status.ts'

/** The part of a store that is reported. */
export interface ReportedStore {
  status(): StoreStatus
  onState(listener: () => void): () => void
}

export interface ServiceReports {
  /** The settings are read again. */
  reloading(): void
  reloaded(): void
  /** The store stops after some seconds. */
  leaving(seconds: number): void
  /** The store stops, after it has handed over to other instances for at most so many seconds. */
  end(handoverSeconds?: number): void
}

const intervalMs = 1_000
/** Time that a stop may take, beyond SHUTDOWN_DELAY. */
const stopSeconds = 30
/** Time that the start may take after a report. A recovery has no bound, so each report extends it. */
const extendedMs = 60_000

const phaseTexts: Readonly<Record<RecoveryPhase, string>> = {
  recovering: 'Recovering',
  deleting: 'Rebuilding, deleting the former keys',
  rebuilding: 'Rebuilding',
  'catching-up': 'Catching up',
}

/**
 * Reports until the end.
 * @param path NOTIFY_SOCKET; undefined or empty without a service manager that wants reports
 */
export function reportToServiceManager(store: ReportedStore, path: string | undefined): ServiceReports {
  const send = path ? openNotifySocket(path) : undefined
  if (send === undefined) return { reloading() {}, reloaded() {}, leaving() {}, end() {} }
  let isReady = false
  let reported = ''
  const report = () => {
    const found = store.status()
    const isReadyNow = found.state === 'running' && found.conditions.every(({ ok }) => ok)
    const status = `STATUS=${statusText(found, isReadyNow)}`
    // Until the store is ready, the time for the start is extended again and again, also if nothing has changed.
    if (isReady && status === reported) return
    const others = isReady ? '' : isReadyNow ? '\nREADY=1' : `\nEXTEND_TIMEOUT_USEC=${extendedMs * 1_000}`
    if (!send(status + others)) return
    reported = status
    isReady ||= isReadyNow
  }
  const timer = setInterval(report, intervalMs)
  timer.unref()
  const unlisten = store.onState(report)
  const stopReports = () => {
    isReady = false
    clearInterval(timer)
    unlisten()
  }
  report()
  return {
    // READY=1 would end a start. During one, a service manager asks for no reload.
    reloading: () => void (isReady && send(`RELOADING=1\nMONOTONIC_USEC=${monotonicMicroseconds() ?? 0}`)),
    reloaded: () => void (isReady && send('READY=1')),
    leaving(seconds) {
      stopReports()
      const time = `EXTEND_TIMEOUT_USEC=${(seconds + stopSeconds) * 1_000_000}`
      send(`STOPPING=1\nSTATUS=Answers for ${seconds} s more, then stops\n${time}`)
    },
    end(handoverSeconds = 0) {
      stopReports()
      const time = `EXTEND_TIMEOUT_USEC=${(handoverSeconds + stopSeconds) * 1_000_000}`
      send(`STOPPING=1\nSTATUS=Stopping${handoverSeconds === 0 ? '' : `\n${time}`}`)
    },
  }
}

function statusText({ state, recovery, conditions, details }: StoreStatus, isReady: boolean): string {
  if (recovery !== null) return progressText(recovery)
  if (!isReady) {
    const { name, reason } = conditions.find(({ ok }) => !ok) ?? { name: state, reason: undefined }
    return `Not ready: ${(reason ?? name).replaceAll('\n', ' ')}`
  }
  const entries = details.reduce((sum, one) => sum + one.entries, 0)
  return `Ready: ${entries} keys`
}

function progressText({ phase, percent, remainingSeconds }: RecoveryProgress): string {
  const rest = remainingSeconds === null ? '' : `, ${remainingSeconds} s left`
  return `${phaseTexts[phase]}: ${Math.floor(percent)} %${rest}`
}
