/** A port that nobody else listens at, and why there is none. */
import { LatchkeyError, messageOf } from '../errors.ts'

/** Listens for a moment. @returns the port, which nobody else listens at @throws what Bun.serve throws */
export function claim(bind: string, port: number): number {
  const server = Bun.serve({ hostname: bind, port, development: false, reusePort: false, fetch: () => new Response() })
  void server.stop(true)
  return server.port ?? port
}

export function listenError(bind: string, port: number, cause: unknown): LatchkeyError {
  return new LatchkeyError('listen_failed', `Listening at ${bind} port ${port}: ${whyRefused(bind, cause)}`, { cause })
}

/**
 * Whether a start could listen, without a listener that stays.
 * @returns a sentence where only another listener is in the way: an instance that runs is the usual one
 * @throws LatchkeyError where it cannot listen
 */
export function checkListening(bind: string, port: number): string | undefined {
  try {
    claim(bind, port)
    return undefined
  } catch (cause) {
    if (!isInUse(bind, cause)) throw listenError(bind, port, cause)
    return `the port ${port} at ${bind} is in use, perhaps by an instance that runs. A start fails until the port is free; stop what listens there, or choose another SERVER_PORT`
  }
}

function isInUse(bind: string, cause: unknown): boolean {
  return canListenAt(bind) && (cause as NodeJS.ErrnoException).code === 'EADDRINUSE'
}

function whyRefused(bind: string, cause: unknown): string {
  // Bun gives the same code, or none, for a port that is taken, an address of another machine and a name that it cannot resolve.
  if (!canListenAt(bind))
    return 'this machine has no such address; choose another SERVER_BIND, such as 0.0.0.0 for all that it has'
  const { code } = cause as NodeJS.ErrnoException
  if (code === 'EADDRINUSE') return 'the port is in use; stop what listens there, or choose another SERVER_PORT'
  if (code === 'EACCES') return 'this user may not take a port that low; choose another SERVER_PORT'
  return `${code ?? messageOf(cause)}; choose another SERVER_PORT or SERVER_BIND`
}

function canListenAt(bind: string): boolean {
  try {
    Bun.listen({ hostname: bind, port: 0, socket: { data: () => {} } }).stop(true)
    return true
  } catch {
    return false
  }
}
