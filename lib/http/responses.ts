/** Answers that are neither a value nor a problem. */

/** On every answer: a browser takes it for what its Content-Type says, whatever it looks like. */
export const noSniff = { 'x-content-type-options': 'nosniff' } as const

export function textResponse(text: string, status = 200, contentType = 'text/plain; charset=utf-8'): Response {
  return new Response(text, {
    status,
    headers: { 'content-type': contentType, 'cache-control': 'no-store', ...noSniff },
  })
}

export function jsonResponse(body: unknown): Response {
  return new Response(JSON.stringify(body), {
    headers: { 'content-type': 'application/json', 'cache-control': 'no-store', ...noSniff },
  })
}
