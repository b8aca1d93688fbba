/** A server on a free port that handles its connections as a test says, and answers nothing else. */
import { createServer, type Socket } from 'node:net'

export interface ScriptedServer {
  host: string
  port: number
  close(): void
}

export async function startScriptedServer(use: (socket: Socket) => void = () => {}): Promise<ScriptedServer> {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    use(socket)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    host: '127.0.0.1',
    port: (server.address() as { port: number }).port,
    close() {
      for (const socket of sockets) socket.destroy()
      server.close()
    },
  }
}
