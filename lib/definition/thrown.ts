/** What a module's function has thrown, in a line, with the place in the module's own source. */
import { basename, dirname, relative, sep } from 'node:path'
import { type Frame, framesOf, pathOf } from './call-site.ts'
import { type Definition } from './definition.ts'

const charactersMax = 300
const shownMax = 60

/**
 * For example `orders.ts:14: undefined is not an object (evaluating 'order.items.length')`. Of something thrown elsewhere, as a codec that is
 * built in does, only the message. At most 300 characters.
 */
export function describeThrown(thrown: unknown, { module }: Pick<Definition, 'module'>): string {
  const path = pathOf(module)
  const frame = path === undefined ? undefined : ownFrame(thrown, path)
  const place = frame === undefined ? '' : `${shownPath(frame.file, dirname(path!))}:${frame.line}: `
  return bounded(place + sayingOf(thrown))
}

/** The innermost frame in the module, or in a file beside or below it that is no package. */
export function ownFrame(thrown: unknown, path: string): Frame | undefined {
  const folder = dirname(path) + sep
  return stackFrames(thrown).find(
    ({ file }) => file === path || (file.startsWith(folder) && !file.includes('/node_modules/') && !isBuiltIn(file)),
  )
}

/** In the source tree, a module may stand above what runs it. */
function isBuiltIn(file: string): boolean {
  return file.startsWith(`${dirname(import.meta.dir)}/`)
}

function stackFrames(thrown: unknown): Frame[] {
  return thrown instanceof Error && typeof thrown.stack === 'string' ? framesOf(thrown.stack) : []
}

/** Relative to the module's folder, where it is in it. */
export function shownPath(file: string, folder: string): string {
  return file.startsWith(folder + sep) ? relative(folder, file) : basename(file)
}

/** An error's message, in one line; of anything else that it was thrown. */
export function sayingOf(thrown: unknown): string {
  if (thrown instanceof Error) return thrown.message.replaceAll(/\s+/g, ' ').trim() || thrown.name
  if (typeof thrown !== 'string') return `${thrown === null ? 'null' : `a ${typeof thrown}`} was thrown, not an Error`
  const text = thrown.length > shownMax ? `${thrown.slice(0, shownMax)}…` : thrown
  return `${JSON.stringify(text)} was thrown, not an Error`
}

function bounded(text: string): string {
  return text.length > charactersMax ? `${text.slice(0, charactersMax - 1)}…` : text
}
