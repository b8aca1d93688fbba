/** Places in a module's own file, read from stacks: Bun writes them as the source has them, also of a .ts that it loads at run time. */
import { fileURLToPath, pathToFileURL } from 'node:url'

export interface Frame {
  /** Absolute. What is built into the executable has no such path. */
  readonly file: string
  readonly line: number
  readonly column: number
}

const framePattern = /^\s*at (?:.*? \()?(?:file:\/\/)?(\/.*?):(\d+):(\d+)\)?$/

/** The frames that are in files, innermost first. */
export function framesOf(stack: string | undefined): Frame[] {
  const frames: Frame[] = []
  for (const text of (stack ?? '').split('\n')) {
    const [, file, line, column] = framePattern.exec(text) ?? []
    if (file === undefined || file.startsWith('/$bunfs/')) continue
    frames.push({ file, line: Number(line), column: Number(column) })
  }
  return frames
}

/** URL of the module that calls `callee`; undefined where it is in no file. */
export function callerUrl(callee: (...args: never[]) => unknown): string | undefined {
  const trace: { stack?: string } = {}
  Error.captureStackTrace(trace, callee)
  const [caller] = framesOf(trace.stack)
  return caller && pathToFileURL(caller.file).href
}

/** Undefined where the URL is none of a file. */
export function pathOf(moduleUrl: string | undefined): string | undefined {
  return moduleUrl?.startsWith('file:') ? fileURLToPath(moduleUrl) : undefined
}
