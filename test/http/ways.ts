/** The ways in which a request reaches an answer: read by the lane, passed on to Bun's server behind it, and by Bun's server with TLS. */
import { connect, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import type { TlsPair } from '../../lib/config/tls-pair.ts'
import { makeCertificate } from './certificate.ts'

export interface Way {
  name: string
  /** Of the server. */
  tls: TlsPair | undefined
  /** Headers that lead a request this way. */
  headers: string
}

const tls = { ...makeCertificate(), certPath: '', keyPath: '', subject: 'localhost', validUntil: new Date() }

export const ways: readonly Way[] = [
  { name: 'on the lane', tls: undefined, headers: '' },
  { name: 'passed on', tls: undefined, headers: 'X: 1\r\nX: 2\r\n' },
  { name: 'over TLS', tls, headers: '' },
]

export function connectBy(way: Way, port: number, connected: (socket: Socket) => void): Socket {
  const socket: Socket = way.tls
    ? connectTls({ port, host: '127.0.0.1', ca: way.tls.cert, servername: 'localhost' }, () => connected(socket))
    : connect(port, '127.0.0.1', () => connected(socket))
  return socket
}

export interface Exchange {
  answers: string
  /** The server has closed it. */
  isClosed: boolean
}

/** What comes back until the server closes, while `more` is sent again and again, or until `isEnd` holds for it. */
export function exchange(
  way: Way,
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
    const socket = connectBy(way, port, () => {
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
