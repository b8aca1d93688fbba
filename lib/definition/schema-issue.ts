/** Describes in one line what a schema refuses. Does not quote the value, which may be large or secret. */
import type * as v from 'valibot'

const charactersMax = 200
/** Schemas that expect certain values: a refused value may have the expected type. */
const choices: ReadonlySet<string> = new Set(['picklist', 'enum', 'literal'])

/** A value that a schema refuses. The message names the path and what is expected there, without the value. */
export class SchemaMismatch extends Error {
  override readonly name = 'SchemaMismatch'

  constructor(issue: v.BaseIssue<unknown>) {
    super(describeIssue(issue))
  }
}

/** For example `items[2].price: expected number, found string`. */
export function describeIssue(issue: v.BaseIssue<unknown>): string {
  const path = pathOf(issue)
  const text = `${path === '' ? '' : `${path}: `}${whatOf(issue)}`
  return text.length > charactersMax ? `${text.slice(0, charactersMax)}…` : text
}

function pathOf({ path }: v.BaseIssue<unknown>): string {
  let text = ''
  for (const { key } of path ?? []) {
    if (typeof key === 'number') text += `[${key}]`
    else if (/^[\p{L}_$][\p{L}\p{N}_$-]*$/u.test(String(key))) text += `${text === '' ? '' : '.'}${String(key)}`
    else text += `[${JSON.stringify(String(key))}]`
  }
  return text
}

function whatOf({ kind, type, expected, input, message: said }: v.BaseIssue<unknown>): string {
  // A function of the module may make the message, and types are not enforced at run time.
  const message = String(said)
  // valibot's own messages quote the value. A message that a schema defines is used unchanged.
  if (!message.startsWith('Invalid ')) return message.replaceAll(/\s+/g, ' ')
  if (type === 'strict_object' && expected === 'never') return 'the schema has no such member'
  if (input === undefined && kind === 'schema') {
    return type.endsWith('object') ? 'it is missing' : `expected ${expected}, found nothing`
  }
  if (expected === null) return type.endsWith('check') ? "it does not pass the schema's check" : `expected ${type}`
  if (kind !== 'schema') return `expected ${type} ${expected}`
  const found = kindOf(input)
  return `expected ${expected}, found ${choices.has(type) ? `another value (${found})` : found}`
}

function kindOf(value: unknown): string {
  if (value === null) return 'null'
  return Array.isArray(value) ? 'array' : typeof value
}
