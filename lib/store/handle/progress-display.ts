/** Recovery progress for a person or a log: a bar that is drawn over on a terminal, a log line now and then elsewhere. */
import { loggerOf } from '../../log.ts'
import { type RecoveryProgress, type StoreState, type StoreStatus } from '../../contract/status.ts'

export interface ProgressSource {
  readonly state: StoreState
  status(): StoreStatus
  onState(listener: (state: StoreState) => void): void
}

export interface Terminal {
  isTTY?: boolean
  columns?: number
  write(text: string): unknown
}

const barIntervalMs = 200
const logIntervalMs = 5_000
const barCells = 24
const clearLine = '\r\u001B[2K'

/** Shows progress while the store recovers; ends by itself. @param structured one JSON log: no bar, even on a terminal */
export function showProgress(store: ProgressSource, terminal: Terminal, structured: boolean): void {
  const isBar = terminal.isTTY === true && !structured
  let timer: ReturnType<typeof setInterval> | undefined
  store.onState((state) => {
    if (state === 'recovering') {
      timer ??= setInterval(() => show(store, isBar ? terminal : undefined), isBar ? barIntervalMs : logIntervalMs)
      return
    }
    if (timer === undefined) return
    clearInterval(timer)
    timer = undefined
    if (isBar) terminal.write(clearLine)
  })
}

function show(store: ProgressSource, terminal: Terminal | undefined): void {
  const { recovery } = store.status()
  if (recovery === null) return
  if (terminal !== undefined) {
    terminal.write(clearLine + progressBar(recovery).slice(0, (terminal.columns ?? 80) - 1))
    return
  }
  const { percent, records, recordsPerSecond, bytes, remainingSeconds } = recovery
  loggerOf('store').info(
    'Recovering: {percent} %, {records} records, {megabytes} MB, {recordsPerSecond} records/s, {remaining}',
    {
      percent,
      records,
      megabytes: Math.round(bytes / 1e6),
      recordsPerSecond,
      remaining: remainingText(remainingSeconds),
    },
  )
}

/** For example `recovering [############------------]  50.0 %  500,000 records  108 MB  1,200,000/s  0.4 s left`. */
function progressBar({ percent, records, recordsPerSecond, bytes, remainingSeconds }: RecoveryProgress): string {
  const filled = Math.round((percent / 100) * barCells)
  const bar = '#'.repeat(filled) + '-'.repeat(barCells - filled)
  const figures = [
    `${percent.toFixed(1)} %`,
    `${count(records)} records`,
    `${count(Math.round(bytes / 1e6))} MB`,
    `${count(recordsPerSecond)}/s`,
  ]
  return `recovering [${bar}]  ${figures.join('  ')}  ${remainingText(remainingSeconds)}`
}

function count(value: number): string {
  return value.toLocaleString('en')
}

function remainingText(seconds: number | null): string {
  return seconds === null ? 'time left not known yet' : `${seconds} s left`
}
