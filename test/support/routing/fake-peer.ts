/** A server that stands where an instance should be, and behaves otherwise. */
import type { Socket } from 'bun'

export interface FakePeer extends Disposable {
  readonly name: string
  readonly url: string
  /** What it has received so far, over all connections. */
  readonly received: () => string
  readonly connections: () => number
}

/** @param answer called for each piece that arrives */
export function startFakePeer(answer: (socket: Socket<unknown>, bytes: Buffer) => void = () => {}): FakePeer {
  let received = ''
  const sockets = new Set<Socket<unknown>>()
  const listener = Bun.listen({
    hostname: '127.0.0.1',
    port: 0,
    socket: {
      open: (socket) => void sockets.add(socket),
      close: (socket) => void sockets.delete(socket),
      data(socket, bytes) {
        received += bytes.toString('latin1')
        answer(socket, bytes)
      },
      error() {},
    },
  })
  return {
    name: 'fake',
    url: `http://127.0.0.1:${listener.port}`,
    received: () => received,
    connections: () => sockets.size,
    [Symbol.dispose]: () => listener.stop(true),
  }
}

export function responseOf(
  body: string | Uint8Array,
  type = 'application/vnd.latchkey.group',
  status = '200 OK',
): Buffer {
  const head = `HTTP/1.1 ${status}\r\nContent-Type: ${type}\r\nContent-Length: ${body.length}\r\n\r\n`
  return Buffer.concat([Buffer.from(head), Buffer.from(body)])
}
