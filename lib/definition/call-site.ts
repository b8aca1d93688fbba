/**
 * Places in a module's own file, read from stack traces. Bun writes them as they are in the source, also for a .ts file
 * that it loads at run time.
 */
import { fileURLToPath, pathToFileURL } from 'node:url'

export interface Frame {
  /** Absolute path. Files that are built into the executable have none. */
  readonly file: string
  readonly line: number
  readonly column: number
}

/**
 * Matched one after the other, which takes linear time. One pattern would not: a stack trace begins with the error's
 * message, which may be long and contain any text.
 */
const placeAtEnd = /:(\d+):(\d+)\)?$/
const pathInParentheses = / \((?:file:\/\/)?(?=\/)/
const pathAlone = /^at (?:file:\/\/)?(?=\/)/

/** Returns the stack frames that are in files, innermost first. */
export function framesOf(stack: string | undefined): Frame[] {
  const frames: Frame[] = []
  for (const text of (stack ?? '').split('\n')) {
    const frame = frameOf(text.trimStart())
    if (frame !== undefined && !frame.file.startsWith('/$bunfs/')) frames.push(frame)
  }
  return frames
}

function frameOf(text: string): Frame | undefined {
  if (!text.startsWith('at ')) return undefined
  const place = placeAtEnd.exec(text)
  const start = pathInParentheses.exec(text) ?? pathAlone.exec(text)
  if (place === null || start === null) return undefined
  const file = text.slice(start.index + start[0].length, place.index)
  return file === '' ? undefined : { file, line: Number(place[1]), column: Number(place[2]) }
}

/** Returns the URL of the module that calls `callee`; undefined if the caller is not in a file. */
export function callerUrl(callee: (...args: never[]) => unknown): string | undefined {
  const trace: { stack?: string } = {}
  Error.captureStackTrace(trace, callee)
  const [caller] = framesOf(trace.stack)
  return caller && pathToFileURL(caller.file).href
}

/** Undefined if the URL is not that of a file. */
export function pathOf(moduleUrl: string | undefined): string | undefined {
  return moduleUrl?.startsWith('file:') ? fileURLToPath(moduleUrl) : undefined
}
