import { LatchkeyProcess, type StartOptions } from './latchkey-process.ts'

export interface Ended {
  stdout: string
  stderr: string
  /** null where a signal ended it. */
  exitCode: number | null
}

/** Runs the executable to its end. */
export async function runLatchkey(options: StartOptions): Promise<Ended> {
  const latchkey = await LatchkeyProcess.start(options)
  try {
    const exitCode = await latchkey.exited
    return { stdout: latchkey.stdout, stderr: latchkey.stderr, exitCode }
  } finally {
    await latchkey.close()
  }
}

/** A stack trace, or a place in a source file, as a user must not see it. */
export const stackTrace = /^\s+at .+(:\d+|\(native)|\.[tj]s:\d+|node:internal|\$bunfs/m
