/** How servers stop: who is answered meanwhile learns that the connection ends, who asks is answered, and only then is what is left cut. */
import { deadline } from '../deadline.ts'
import { ignoreNewConnections } from '../linux/sockets.ts'

/** For a client that sends one request after another, long enough to learn that it should connect elsewhere. */
const farewellMs = 100
/** In which what has connected before is accepted. */
const acceptMs = 20

export interface Drainable {
  /** Each answer from now on ends its connection, and says so. */
  farewell(): void
  /** Takes no new connection, and ends those that are idle; resolves once the requests under way are answered. */
  stop(): Promise<void>
  /** Closes what is left, answered or not. */
  cut(): void | Promise<void>
}

/**
 * Asks busy connections to end with their next answer, then takes no new ones but those that have begun, waits for the requests under way, but no longer than the
 * bound, and closes what is left. Without the first, clients that keep connections alive see them reset under their next request.
 * @param port where clients connect
 */
export async function drain(port: number, servers: readonly Drainable[], timeoutMs: number): Promise<void> {
  for (const server of servers) server.farewell()
  await Bun.sleep(Math.min(farewellMs, timeoutMs))
  ignoreNewConnections(port)
  await Bun.sleep(Math.min(acceptMs, timeoutMs))
  const answered = Promise.all(servers.map((server) => server.stop()))
  await deadline(answered, timeoutMs, () => undefined)
  await Promise.all(servers.map((server) => server.cut()))
}
