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

/** Of the first thread of a process, without its other threads. */
export function firstThreadMsOf(pid: number): number {
  return processorMs(`${pid}/task/${pid}`)
}

function treeOf(pid: number): number[] {
  const children = read(`/proc/${pid}/task/${pid}/children`).trim().split(' ').filter(Boolean).map(Number)
  return [pid, ...children.flatMap(treeOf)]
}

function residentBytes(pid: number): number {
  return Number(/VmRSS:\s+(\d+) kB/.exec(read(`/proc/${pid}/status`))?.[1] ?? 0) * 1024
}

/** @param entry in /proc: a process, or a thread of one */
function processorMs(entry: number | string): number {
  const fields = read(`/proc/${entry}/stat`).split(') ')[1]?.split(' ') ?? []
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
