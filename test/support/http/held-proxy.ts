/** Stands between a client and a server, and holds what the client sends until it is released. */
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

export interface HeldProxy extends Disposable {
  port: number
  /** Bytes of clients that the server has not got. */
  readonly held: number
  release(): void
  /** Sends the server what no client has sent. */
  inject(bytes: string): void
}

export async function holdBefore(port: number): Promise<HeldProxy> {
  const held: Buffer[] = []
  const sockets: Socket[] = []
  let target: Socket | undefined
  let isReleased = false
  const server = createServer((client) => {
    target = connect(port, '127.0.0.1')
    sockets.push(client, target)
    client.on('data', (chunk: Buffer) => (isReleased ? target!.write(chunk) : held.push(chunk)))
    target.on('data', (chunk) => client.write(chunk))
    target.on('close', () => client.destroy())
    for (const socket of [client, target]) socket.on('error', () => {})
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    get held() {
      return held.reduce((sum, { length }) => sum + length, 0)
    },
    release() {
      isReleased = true
      for (const chunk of held.splice(0)) target!.write(chunk)
    },
    inject: (bytes) => void target!.write(bytes),
    [Symbol.dispose]() {
      for (const socket of sockets) socket.destroy()
      server.close()
    },
  }
}
