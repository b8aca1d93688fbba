/**
 * Refuses promises that a module's functions return. Results are used immediately: records are processed in order, and
 * nothing waits for a promise.
 */

/**
 * @param what the function's name, for the message
 * @returns the value that the function returned
 * @throws Error if it is a promise
 */
export function refusePromise<T>(returned: T, what: string): T {
  if (typeof (returned as PromiseLike<unknown> | null | undefined)?.then !== 'function') {
    return returned
    // The promise may be rejected later; handle that here, because nothing else does.
  }
  ;(returned as PromiseLike<unknown>).then(undefined, () => {})
  throw new Error(`${what} returned a promise: it must be synchronous`)
}
