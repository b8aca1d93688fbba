/** What answers look at of a request, beside its target. A Request is one, and so is what the lane has read. */

/** Names are asked for in lower case. */
export type RequestHeaders = Pick<Headers, 'get'>

export interface Asking {
  readonly method: string
  readonly headers: RequestHeaders
}
