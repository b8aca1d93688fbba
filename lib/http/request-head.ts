/**
 * The parts of a request that handlers read, besides its target. A Request has them, and so has a request that the fast
 * path parsed.
 */

/** Callers pass header names in lower case. */
export type RequestHeaders = Pick<Headers, 'get'>

export interface RequestHead {
  readonly method: string
  readonly headers: RequestHeaders
  /** Bytes if all of the body has arrived. */
  readonly body?: Uint8Array | ReadableStream<Uint8Array> | null
  /** How long its answer may be held; a few seconds if absent. */
  readonly waitMsMax?: number
}
