/**
 * Progress of recovery, of a rebuild and of catching up: a bar on a terminal, log lines at intervals elsewhere. The log
 * clears the bar before it writes a line (lib/log), and the bar is drawn again below.
 */
import { clearLine, loggerOf } from '../log/index.ts'
import type { RecoveryPhase, RecoveryProgress } from '../store-protocol/status.ts'

export interface ProgressSource {
  progress(): RecoveryProgress | null
  /** Halted partitions, if no other partition is still behind. */
  haltedRemaining(): number[]
  onState(listener: () => void): () => void
}

export interface Terminal {
  columns?: number
  write(text: string): unknown
}

const barIntervalMs = 200
const logIntervalMs = 5_000
const barCells = 20
const barCellsMin = 10
const columnsDefault = 80
const partitionsNamedMax = 20

const phaseTexts: Readonly<Record<RecoveryPhase, string>> = {
  recovering: 'Recovering from the changelog',
  deleting: 'Rebuilding: deleting the former keys',
  rebuilding: 'Rebuilding: reading the source',
  'catching-up': 'Catching up with the source',
}

/**
 * Shows progress while there is any.
 * @param isBar the terminal accepts escape codes, and the log is text
 * @returns a function that ends the display
 */
export function showProgress(store: ProgressSource, terminal: Terminal, isBar: boolean): () => void {
  let isShown = false
  let isHaltLogged = false
  let loggedAt = performance.now()
  const show = () => {
    const progress = store.progress()
    if (!isHaltLogged) isHaltLogged = logHalted(store.haltedRemaining())
    if (isBar) {
      // A terminal that does not know its width reports 0. Some terminals begin a new line after the last column.
      if (progress !== null) terminal.write(clearLine + progressBar(progress, (terminal.columns || columnsDefault) - 1))
      else if (isShown) terminal.write(clearLine)
      isShown = progress !== null
    } else if (progress === null) loggedAt = performance.now()
    else if (performance.now() - loggedAt >= logIntervalMs) {
      loggedAt = performance.now()
      logProgress(progress)
    }
  }
  // Also runs if only the log is written: the rate needs recent samples.
  const timer = setInterval(show, barIntervalMs)
  timer.unref()
  const unlisten = store.onState(show)
  return () => {
    clearInterval(timer)
    unlisten()
    if (isShown) terminal.write(clearLine)
  }
}

function logProgress({ phase, percent, records, recordsPerSecond, bytes, remainingSeconds }: RecoveryProgress): void {
  loggerOf('store').info(
    '{phase}: {percent} %, {records} records, {megabytes} MB, {recordsPerSecond} records/s, {remaining}',
    {
      phase: phaseTexts[phase],
      percent,
      records,
      megabytes: Math.round(bytes / 1e6),
      recordsPerSecond,
      remaining: remainingText(remainingSeconds),
    },
  )
}

/** @returns whether there was something to log */
function logHalted(partitions: readonly number[]): boolean {
  if (partitions.length === 0) return false
  const named = partitions.slice(0, partitionsNamedMax).join(', ')
  const more = partitions.length - partitionsNamedMax
  const message = 'Catching up with the source: only halted partitions ({partitions}) are still behind'
  loggerOf('store').info(message, { partitions: more > 0 ? `${named} and ${more} more` : named })
  return true
}

/**
 * Returns for example `Recovering from the changelog [##########----------]  50.0 %  0.4 s left  1,200,000/s  500,000
 * records`. If that is too long, shortens the bar, then leaves out figures from the end.
 */
function progressBar(progress: RecoveryProgress, columns: number): string {
  const { phase, percent, records, recordsPerSecond, remainingSeconds } = progress
  const figures = [
    `${percent.toFixed(1)} %`,
    remainingText(remainingSeconds),
    `${count(recordsPerSecond)}/s`,
    `${count(records)} records`,
  ]
  const title = phaseTexts[phase]
  for (let kept = figures.length; kept > 0; kept--) {
    const end = `]  ${figures.slice(0, kept).join('  ')}`
    const cells = Math.min(columns - title.length - ' ['.length - end.length, barCells)
    if (cells < barCellsMin) continue
    const filled = Math.round((percent / 100) * cells)
    return `${title} [${'#'.repeat(filled)}${'-'.repeat(cells - filled)}${end}`
  }
  const line = `${title}  ${figures[0]}`
  return line.length <= columns ? line : figures[0]!
}

function count(value: number): string {
  return value.toLocaleString('en')
}

function remainingText(seconds: number | null): string {
  return seconds === null ? 'time left not known yet' : `${seconds} s left`
}
