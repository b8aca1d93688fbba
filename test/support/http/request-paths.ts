/** The paths by which a request reaches an answer: read by the fast path, forwarded to Bun's server behind it, or read by that server alone, over plain HTTP and with TLS. */
import type { TlsPair } from '../../../lib/config/tls-pair.ts'
import type { OpenSocket } from './connect.ts'
import { allTransports } from './transports.ts'

export interface RequestPath {
  name: string
  /** Of the server. */
  tls: TlsPair | undefined
  hasFastPath: boolean
  openSocket: OpenSocket
  /** Headers that make a request take this path. */
  headers: string
}

export const requestPaths: readonly RequestPath[] = allTransports.flatMap(({ name, tls, openSocket, hasFastPath }) => {
  const path = { tls, openSocket, hasFastPath }
  if (!hasFastPath) return [{ ...path, name, headers: '' }]
  return [
    { ...path, name: `on the fast path ${name}`, headers: '' },
    { ...path, name: `forwarded ${name}`, headers: 'X: 1\r\nX: 2\r\n' },
  ]
})

export interface Exchange {
  answers: string
  /** The server has closed it. */
  isClosed: boolean
}

/** What is received until the server closes, while `more` is sent again and again, or until `isEnd` holds for it. */
export function exchange(
  path: RequestPath,
  port: number,
  start: string,
  { more, isEnd = () => false }: { more?: string; isEnd?: (answers: string, sent: number) => boolean } = {},
): Promise<Exchange> {
  return new Promise((resolve) => {
    let answers = ''
    let sent = 0
    let timer: Timer | undefined
    const end = (isClosed: boolean) => {
      clearInterval(timer)
      socket.destroy()
      resolve({ answers, isClosed })
    }
    const socket = path.openSocket(port, () => {
      socket.write(start)
      if (more === undefined) return
      timer = setInterval(() => {
        if (socket.writable) socket.write(more)
        if (isEnd(answers, ++sent)) end(false)
      }, 5)
    })
    socket.on('data', (chunk) => {
      answers += chunk.toString('latin1')
      if (isEnd(answers, sent)) end(false)
    })
    socket.on('error', () => {})
    socket.on('close', () => end(true))
  })
}
