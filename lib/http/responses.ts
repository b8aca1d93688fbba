/** Responses that are neither a value nor a problem. */

/** Sent with every response: a browser then trusts the Content-Type and does not guess from the content. */
export const noSniff = { 'x-content-type-options': 'nosniff' } as const

export function textResponse(text: string, status = 200, contentType = 'text/plain; charset=utf-8'): Response {
  return new Response(text, {
    status,
    headers: { 'content-type': contentType, 'cache-control': 'no-store', ...noSniff },
  })
}

/**
 * Returns JSON that ends with a line break, for terminals.
 * @param isPretty for a person: one line per member, and one per item of a list of objects
 */
export function jsonResponse(body: object, isPretty = false): Response {
  return new Response(isPretty ? prettyJson(body) : `${JSON.stringify(body)}\n`, {
    headers: { 'content-type': 'application/json', 'cache-control': 'no-store', ...noSniff },
  })
}

function prettyJson(body: object): string {
  const members = Object.entries(body).filter(([, value]) => value !== undefined)
  const lines = members.map(([name, value]) => `  ${JSON.stringify(name)}: ${prettyMember(value)}`)
  return `{\n${lines.join(',\n')}\n}\n`
}

function prettyMember(value: unknown): string {
  const isList = Array.isArray(value) && value.some((item) => typeof item === 'object')
  if (!isList) return JSON.stringify(value)
  return `[\n${value.map((item) => `    ${JSON.stringify(item)}`).join(',\n')}\n  ]`
}
