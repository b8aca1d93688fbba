/**
 * Stops servers: first, responses announce the end of their connections; then requests in progress are answered; last,
 * the remaining connections are closed.
 */
import { deadline } from '../deadline.ts'
import { ignoreNewConnections } from '../linux/sockets.ts'

/** Long enough for a client that sends one request after another to learn that it should connect elsewhere. */
const farewellMs = 100
/** Time to accept connections that have begun. */
const acceptMs = 20

export interface Drainable {
  /** Closes each connection after its next response, which announces it. */
  announceClose(): void
  /** Accepts no new connection and closes idle ones. Resolves when the requests in progress are answered. */
  stop(): Promise<void>
  /** Closes the remaining connections, answered or not. */
  destroy(): void | Promise<void>
}

/**
 * Announces on busy connections that they end with their next response. Then accepts no new connections except those
 * that have begun, waits for the requests in progress up to the bound, and closes the rest. Without the announcement,
 * clients that keep connections alive would see a reset under their next request.
 *
 * @param port where clients connect
 */
export async function drain(port: number, servers: readonly Drainable[], timeoutMs: number): Promise<void> {
  for (const server of servers) server.announceClose()
  await Bun.sleep(Math.min(farewellMs, timeoutMs))
  ignoreNewConnections(port)
  await Bun.sleep(Math.min(acceptMs, timeoutMs))
  const answered = Promise.all(servers.map((server) => server.stop()))
  await deadline(answered, timeoutMs, () => undefined)
  await Promise.all(servers.map((server) => server.destroy()))
}
