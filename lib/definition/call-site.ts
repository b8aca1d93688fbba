/** Places in a module's own file, read from stacks: Bun writes them as the source has them, also of a .ts that it loads at run time. */
import { fileURLToPath, pathToFileURL } from 'node:url'

export interface Frame {
  /** Absolute. What is built into the executable has no such path. */
  readonly file: string
  readonly line: number
  readonly column: number
}

/** Looked for one after the other: a stack begins with the error's message, which may be long and quote anything. */
const placeAtEnd = /:(\d+):(\d+)\)?$/
const pathInParentheses = / \((?:file:\/\/)?(?=\/)/
const pathAlone = /^at (?:file:\/\/)?(?=\/)/

/** The frames that are in files, innermost first. */
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
