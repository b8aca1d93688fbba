/**
 * Asks the scheduler for short turns of the calling thread (sched_setattr, sched(7)). A thread that needs a processor for a few microseconds at a time is
 * otherwise made to wait like one that wants it for milliseconds: beside a store thread, a broker and clients for up to 30 ms. Short turns come earlier,
 * and a share of the processor is not larger for them, so that no privilege is needed. Figures are in DESIGN.md.
 */
import { ptr } from 'bun:ffi'
import { openLibc } from './libc.ts'

/** The least that Linux takes. */
const turnNs = 100_000n

interface Calls {
  set: bigint
  get: bigint
}
const calls: { readonly [architecture in NodeJS.Architecture]?: Calls } = {
  x64: { set: 314n, get: 315n },
  arm64: { set: 274n, get: 275n },
}

/** struct sched_attr: u32 size, u32 policy, u64 flags, i32 nice, u32 priority, u64 runtime, u64 deadline, u64 period. */
const attributesBytes = 48
const [sizeAt, policyAt, flagsAt, runtimeAt] = [0, 4, 8, 24]
/** Whoever chose another policy for the process has thought about it. */
const policyNormal = 0
/** Threads that this one starts have turns of the usual length. */
const resetOnFork = 1n
const thisThread = 0n

/** @returns whether the kernel has taken it; those before Linux 6.12 do, but it changes nothing there */
export function askForShortTurns(): boolean {
  const numbers = calls[process.arch]
  const syscall = openLibc({ syscall: { args: ['i64', 'i64', 'u64', 'u64', 'u64'], returns: 'i64' } })?.syscall
  if (!syscall || !numbers) return false
  const attributes = new DataView(new ArrayBuffer(attributesBytes))
  const address = BigInt(ptr(attributes))
  if (syscall(numbers.get, thisThread, address, BigInt(attributesBytes), 0n) !== 0n) return false
  if (attributes.getUint32(policyAt, true) !== policyNormal) return false
  attributes.setUint32(sizeAt, attributesBytes, true)
  attributes.setBigUint64(flagsAt, attributes.getBigUint64(flagsAt, true) | resetOnFork, true)
  attributes.setBigUint64(runtimeAt, turnNs, true)
  return syscall(numbers.set, thisThread, address, 0n, 0n) === 0n
}
