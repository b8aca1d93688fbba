/** A value that does not match the schema. The message completes "it …". */
export class Mismatch extends Error {
  readonly expected: string
  readonly path: string

  /** @param path member names and indexes that lead from the given value to the wrong one */
  constructor(expected: string, path = '') {
    super(path === '' ? expected : `${expected}, at ${path.replace(/^\./, '')}`)
    this.expected = expected
    this.path = path
  }

  /** Returns the same error with one more step at the beginning of its path. */
  static within(thrown: unknown, step: string): unknown {
    return thrown instanceof Mismatch ? new Mismatch(thrown.expected, step + thrown.path) : thrown
  }
}
