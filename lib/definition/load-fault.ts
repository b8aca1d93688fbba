/**
 * Explains in one line why a module could not be loaded. The line begins with file, line and column, as far as Bun
 * reports them or the source shows them.
 */
import { readFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { LatchkeyError } from '../errors.ts'
import { nearName } from '../text/did-you-mean.ts'
import { exportsOf, isBuiltIn } from './built-ins.ts'
import { pathOf } from './call-site.ts'
import { ownFrame, sayingOf, shownPath } from './describe-thrown.ts'

const charactersMax = 500
const lineShownMax = 80

/** What Bun throws for a module with a syntax error. */
interface BuildFault {
  readonly message: string
  readonly position: {
    readonly file: string
    readonly line: number
    readonly column: number
    readonly lineText: string
  } | null
}

/** What Bun throws for a module that is not found. */
interface ResolveFault {
  readonly specifier: string
  readonly referrer: string
}

/** Returns the module's path for messages; its URL if it is not a file. */
export function shownUrl(moduleUrl: string): string {
  return pathOf(moduleUrl) ?? moduleUrl
}

export function loadFault(thrown: unknown, moduleUrl: string): LatchkeyError {
  const path = shownUrl(moduleUrl)
  const text = `Loading the store module ${path}: ${explain(thrown, path)}`
  const message = text.length > charactersMax ? `${text.slice(0, charactersMax)}…` : text
  return new LatchkeyError('invalid_settings', message, { cause: thrown })
}

function explain(thrown: unknown, path: string): string {
  try {
    return explainKnown(thrown, path)
  } catch {
    // A module may throw what only looks like an error of Bun, or cannot be read.
    return sayingOf(thrown)
  }
}

function explainKnown(thrown: unknown, path: string): string {
  const first: unknown = thrown instanceof AggregateError ? thrown.errors[0] : thrown
  switch ((first as { name?: unknown } | null)?.name) {
    case 'BuildMessage':
      return ofSyntax(first as BuildFault, path)
    case 'ResolveMessage':
      return ofImport(first as ResolveFault, path)
    case 'SyntaxError':
      return ofName(first as SyntaxError, path)
    default:
      return ofThrown(first, path)
  }
}

function ofSyntax({ message, position }: BuildFault, path: string): string {
  if (position === null) return message
  const place = `${shownPath(position.file, dirname(path))}:${position.line}:${position.column}`
  return `${place}: ${message}: ${position.lineText.trim().slice(0, lineShownMax)}`
}

function ofImport({ specifier, referrer }: ResolveFault, path: string): string {
  if (specifier === path) return 'there is no such file'
  const place = placeOf(referrer, specifier, path)
  if (/^[./]/.test(specifier)) return `${place}: there is no ${specifier}`
  return `${place}: there is no package ${specifier}: latchkey and valibot are built in, others have to be in node_modules next to the module`
}

/** Explains an import of a name that does not exist. Bun does not report which file imports it. */
function ofName({ message }: SyntaxError, path: string): string {
  const [, name, from] = /^Export named '(.+)' not found in module '(.+)'/.exec(message) ?? []
  if (name === undefined || from === undefined) return message
  const near = isBuiltIn(from) ? nearName(name, exportsOf(from)) : undefined
  const source = isBuiltIn(from) ? from : shownPath(from, dirname(path))
  return `${placeOf(path, name, path)}: ${source} exports no ${name}${near === undefined ? '' : `: did you mean ${near}?`}`
}

function ofThrown(thrown: unknown, path: string): string {
  const frame = ownFrame(thrown, path)
  const found = thrown instanceof LatchkeyError ? thrown.details['found'] : undefined
  const saying = typeof found === 'string' ? found : sayingOf(thrown)
  return frame === undefined
    ? saying
    : `${shownPath(frame.file, dirname(path))}:${frame.line}:${frame.column}: ${saying}`
}

/** Returns the file with the number of the first line that contains a text; only the file if none does. */
function placeOf(file: string, text: string, path: string): string {
  const shown = shownPath(file, dirname(path))
  try {
    const index = readFileSync(file, 'utf8')
      .split('\n')
      .findIndex((line) => line.includes(text))
    return index < 0 ? shown : `${shown}:${index + 1}`
  } catch {
    return shown
  }
}
