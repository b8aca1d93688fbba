/** The registry has said so: asking again gives the same answer. The message completes "schema 7 is …". */
export class Refused extends Error {}

/** No word of the registry about what was asked for. The message completes "Schema registry …:". */
export class Trouble extends Error {
  /** Nothing that passes by itself. */
  readonly needsOperator: boolean

  constructor(message: string, needsOperator = false) {
    super(message)
    this.needsOperator = needsOperator
  }
}
