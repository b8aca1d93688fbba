/**
 * Says to all threads of the process that it stops soon. The store runs and answers until then, and has a reason why it is
 * not ready. The notice is in shared memory: every thread sees it at the same time.
 */
export class ShutdownNotice {
  /** End of the wait in milliseconds since the epoch; 0 without a notice. */
  readonly #endsAt: Float64Array

  static buffer(): SharedArrayBuffer {
    return new SharedArrayBuffer(Float64Array.BYTES_PER_ELEMENT)
  }

  constructor(buffer: SharedArrayBuffer) {
    this.#endsAt = new Float64Array(buffer)
  }

  give(seconds: number): void {
    this.#endsAt[0] = Date.now() + seconds * 1_000
  }

  /** Undefined without a notice. */
  get reason(): string | undefined {
    const endsAt = this.#endsAt[0]!
    if (endsAt === 0) return undefined
    const seconds = Math.max(0, Math.ceil((endsAt - Date.now()) / 1_000))
    return `SIGTERM was received: the process answers for ${seconds} s more (SHUTDOWN_DELAY), then it stops`
  }
}
