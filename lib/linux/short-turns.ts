/**
 * Requests short turns of the calling thread from the scheduler (sched_setattr, sched(7)). By default a thread that
 * needs a processor for a few microseconds waits like one that needs it for milliseconds: with a store thread, a broker
 * and clients on the same machine for up to 30 ms. Short turns start earlier. They do not increase the thread's share
 * of the processor, so no privilege is needed. lib/server/DESIGN.md has the figures.
 */
import { ptr } from 'bun:ffi'
import { openLibc } from './libc.ts'

/** The minimum that Linux accepts. */
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
/** SCHED_OTHER. Another policy was set on purpose and is kept. */
const policyNormal = 0
/** Threads that this thread starts have turns of the default length. */
const resetOnFork = 1n
const thisThread = 0n

/** @returns whether the kernel accepted the request; kernels before Linux 6.12 accept it without effect */
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
