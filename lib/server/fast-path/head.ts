/** The head of a response as text. */
import { STATUS_CODES } from 'node:http'

/** What a response head needs besides the answer. */
export interface ResponseContext {
  /** Value of the Date header. */
  date: string
  /** The connection ends with the response. */
  isLast: boolean
}

const ok = 'HTTP/1.1 200 OK\r\n'

/**
 * @param lines each with its line break
 * @param length of the body in bytes; undefined if the status allows no body
 */
export function headOf(
  status: number,
  lines: string,
  length: number | undefined,
  { date, isLast }: ResponseContext,
): string {
  const first = status === 200 ? ok : `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n`
  const end = isLast ? 'Connection: close\r\n\r\n' : '\r\n'
  const size = length === undefined ? '' : `Content-Length: ${length}\r\n`
  return `${first}${lines}Date: ${date}\r\n${size}${end}`
}

export function linesOf(headers: Headers): string {
  let lines = ''
  for (const [name, value] of headers) lines += `${name}: ${value}\r\n`
  return lines
}
