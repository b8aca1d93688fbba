/** A process with its children, from /proc: Linux only. */
import { readFileSync } from 'node:fs'

/** Of a clock tick in /proc/<pid>/stat: USER_HZ is 100 on all machines that Bun runs on. */
const tickMs = 10
const userTicks = 11
const systemTicks = 12

export function residentBytesOf(pid: number): number {
  return treeOf(pid).reduce((sum, one) => sum + residentBytes(one), 0)
}

export function processorMsOf(pid: number): number {
  return treeOf(pid).reduce((sum, one) => sum + processorMs(one), 0)
}

/** Milliseconds of a thread so far. */
export interface ThreadTime {
  ranMs: number
  /** Ready to run, without a processor. */
  waitedMs: number
}

/** Of the first thread of a process. */
export function firstThreadOf(pid: number): ThreadTime {
  const [ran = 0, waited = 0] = read(`/proc/${pid}/task/${pid}/schedstat`).split(' ').map(Number)
  return { ranMs: ran / 1e6, waitedMs: waited / 1e6 }
}

function treeOf(pid: number): number[] {
  const children = read(`/proc/${pid}/task/${pid}/children`).trim().split(' ').filter(Boolean).map(Number)
  return [pid, ...children.flatMap(treeOf)]
}

function residentBytes(pid: number): number {
  return Number(/VmRSS:\s+(\d+) kB/.exec(read(`/proc/${pid}/status`))?.[1] ?? 0) * 1024
}

function processorMs(pid: number): number {
  const fields = read(`/proc/${pid}/stat`).split(') ')[1]?.split(' ') ?? []
  return (Number(fields[userTicks] ?? 0) + Number(fields[systemTicks] ?? 0)) * tickMs
}

/** Empty if the process has ended. */
function read(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
