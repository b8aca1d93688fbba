/** The registry's definite negative answer: another request gets the same. The message completes "schema 7 is …". */
export class Refused extends Error {}

/** The registry gave no answer about the requested object. The message completes "Schema registry …:". */
export class RegistryUnavailable extends Error {
  /** The problem persists until an operator mends it. */
  readonly needsOperator: boolean

  constructor(message: string, needsOperator = false) {
    super(message)
    this.needsOperator = needsOperator
  }
}
