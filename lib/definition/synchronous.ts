/** Whatever a module's function returns is used at once: records go on in order, and nobody waits for a promise. */

/**
 * @param what the function's name, for the message
 * @returns what a function has returned @throws Error where that is a promise
 */
export function refusePromise<T>(returned: T, what: string): T {
  if (typeof (returned as PromiseLike<unknown> | null | undefined)?.then !== 'function') return returned
  // It may be rejected later, when nobody listens.
  ;(returned as PromiseLike<unknown>).then(undefined, () => {})
  throw new Error(`${what} returned a promise: it must be synchronous`)
}
