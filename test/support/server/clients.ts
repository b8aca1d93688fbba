/** Requests as bytes, and clients that send them without a library in between. */
import type { Socket } from 'node:net'
import { openPlainSocket, type OpenSocket } from '../http/connect.ts'

const host = 'Host: a\r\n'
export const get = (key: string, headers = '') => `GET /stores/orders/${key} HTTP/1.1\r\n${host}${headers}\r\n`
export const flush = `POST /flush-store/orders HTTP/1.1\r\n${host}Content-Length: 2\r\n\r\n{}`

/** Statuses of all answers, in their order. */
export function statusesIn(answers: string): number[] {
  return [...answers.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status))
}

export function isAnswered(count: number): (answers: string) => boolean {
  return (answers) => statusesIn(answers).length === count
}

/** What is sent by a client that then says that it will send no more, and all that is received. */
export function sendAndEnd(port: number, bytes: string, openSocket: OpenSocket = openPlainSocket): Promise<string> {
  return new Promise((resolve, reject) => {
    let answers = ''
    const socket = openSocket(port, () => socket.end(bytes), { allowHalfOpen: true })
    socket.on('data', (chunk) => (answers += chunk.toString('latin1')))
    socket.on('end', () => resolve(answers))
    socket.on('error', reject)
  })
}

export function open(port: number, openSocket: OpenSocket = openPlainSocket): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = openSocket(port, () => resolve(socket))
    socket.on('error', reject)
  })
}
