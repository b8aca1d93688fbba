/** Functions of the C library that neither Bun nor Node has. Only for glibc on Linux. */
import { dlopen, type FFIFunction, type Library } from 'bun:ffi'

/** @returns undefined on another system, or with another C library */
export function openLibc<Functions extends Record<string, FFIFunction>>(
  functions: Functions,
): Library<Functions>['symbols'] | undefined {
  if (process.platform !== 'linux') return undefined
  try {
    return dlopen('libc.so.6', functions).symbols
  } catch {
    return undefined
  }
}
