/** Answers that are neither a value nor a problem. */

/** On every answer: a browser takes it for what its Content-Type says, whatever it looks like. */
export const noSniff = { 'x-content-type-options': 'nosniff' } as const

export function textResponse(text: string, status = 200, contentType = 'text/plain; charset=utf-8'): Response {
  return new Response(text, {
    status,
    headers: { 'content-type': contentType, 'cache-control': 'no-store', ...noSniff },
  })
}

/** With a line break at its end, as a terminal wants it. @param isPretty for a person: a line a member, and one an item of a list of objects */
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
