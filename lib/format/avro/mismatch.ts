/** A value that is not of the schema. The message completes "it …". */
export class Mismatch extends Error {
  readonly expected: string
  readonly path: string

  /** @param path member names and indexes from the value that was given down to the one that is wrong */
  constructor(expected: string, path = '') {
    super(path === '' ? expected : `${expected}, at ${path.replace(/^\./, '')}`)
    this.expected = expected
    this.path = path
  }

  /** The same, told from one level further up. */
  static within(thrown: unknown, step: string): unknown {
    return thrown instanceof Mismatch ? new Mismatch(thrown.expected, step + thrown.path) : thrown
  }
}
