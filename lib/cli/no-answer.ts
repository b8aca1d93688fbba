/** There is no answer, or one that is an error. The message is for the user. */
export class NoAnswer extends Error {
  /** Of the answer; 0 if there is none. */
  readonly status: number
  /** Of the problem; empty if it is none. */
  readonly code: string

  constructor(message: string, status = 0, code = '') {
    super(message)
    this.status = status
    this.code = code
  }
}
