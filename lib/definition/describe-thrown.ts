/**
 * Describes in one line what a module's function threw, with the place in the module's own source. Nothing here throws,
 * even if the module throws a hostile object: its members may be of any type or getters that throw, and it may be a Proxy.
 */
import { basename, dirname, relative, sep } from 'node:path'
import { indescribable } from '../errors.ts'
import { type Frame, framesOf, pathOf } from './call-site.ts'
import type { Definition } from './definition.ts'

const charactersMax = 300
const shownMax = 60

/**
 * For example `orders.ts:14: undefined is not an object (evaluating 'order.items.length')`.
 * Only the message if no frame is in the module, for example for an error of a built-in codec. At most 300 characters.
 */
export function describeThrown(thrown: unknown, { module }: Pick<Definition, 'module'>): string {
  const path = pathOf(module)
  const frame = path === undefined ? undefined : ownFrame(thrown, path)
  const place = frame === undefined ? '' : `${shownPath(frame.file, dirname(path!))}:${frame.line}: `
  return bounded(place + sayingOf(thrown))
}

/** Returns the innermost frame in the module, or in a file next to or below it that is not in a package. */
export function ownFrame(thrown: unknown, path: string): Frame | undefined {
  const folder = dirname(path) + sep
  return stackFrames(thrown).find(
    ({ file }) => file === path || (file.startsWith(folder) && !file.includes('/node_modules/') && !isBuiltIn(file)),
  )
}

/** Excludes Latchkey's own files: in the source tree, a module may be in a folder above them. */
function isBuiltIn(file: string): boolean {
  return file.startsWith(`${dirname(import.meta.dir)}/`)
}

function stackFrames(thrown: unknown): Frame[] {
  try {
    const stack: unknown = thrown instanceof Error ? thrown.stack : undefined
    return typeof stack === 'string' ? framesOf(stack) : []
  } catch {
    return []
  }
}

/** Relative to the module's folder if the file is in it, else the name of the file. */
export function shownPath(file: string, folder: string): string {
  return file.startsWith(folder + sep) ? relative(folder, file) : basename(file)
}

/** Returns the message of an error in one line; for other values, that they were thrown. */
export function sayingOf(thrown: unknown): string {
  try {
    if (thrown instanceof Error) return inOneLine(thrown.message) || inOneLine(thrown.name)
  } catch {
    return indescribable
  }
  if (typeof thrown !== 'string') return `${thrown === null ? 'null' : `a ${typeof thrown}`} was thrown, not an Error`
  const text = thrown.length > shownMax ? `${thrown.slice(0, shownMax)}…` : thrown
  return `${JSON.stringify(text)} was thrown, not an Error`
}

/** @param member of an Error, which may have been set to a value of another type */
function inOneLine(member: unknown): string {
  return String(member).replaceAll(/\s+/g, ' ').trim()
}

function bounded(text: string): string {
  return text.length > charactersMax ? `${text.slice(0, charactersMax - 1)}…` : text
}
