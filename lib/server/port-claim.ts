/** Claims a port for this process alone, and explains why a port is not available. */
import { LatchkeyError, messageOf } from '../errors.ts'

const portSetting = 'SERVER_PORT'

/**
 * Listens for a moment.
 * @returns the port, at which no other process listens
 * @throws what Bun.serve throws
 */
export function claim(bind: string, port: number): number {
  const server = Bun.serve({ hostname: bind, port, development: false, reusePort: false, fetch: () => new Response() })
  void server.stop(true)
  return server.port ?? port
}

/** @param setting that names the port */
export function listenError(bind: string, port: number, cause: unknown, setting = portSetting): LatchkeyError {
  const found = whyRefused(bind, cause, setting)
  return new LatchkeyError('listen_failed', `Listening at ${bind} port ${port}: ${found}`, { cause })
}

/**
 * Checks whether a start could listen. Leaves no listener behind.
 *
 * @returns a sentence if only another listener prevents it, which is usually a running instance; else undefined
 * @throws LatchkeyError listen_failed
 */
export function checkListening(bind: string, port: number, setting = portSetting): string | undefined {
  try {
    claim(bind, port)
    return undefined
  } catch (cause) {
    if (!isInUse(bind, cause)) throw listenError(bind, port, cause, setting)
    return `the port ${port} at ${bind} is in use, perhaps by an instance that runs. A start fails until the port is free; stop what listens there, or choose another ${setting}`
  }
}

function isInUse(bind: string, cause: unknown): boolean {
  return canListenAt(bind) && (cause as NodeJS.ErrnoException).code === 'EADDRINUSE'
}

function whyRefused(bind: string, cause: unknown, setting: string): string {
  // Bun gives the same code, or none, for a port in use, an address of another machine and a name that it cannot
  // resolve.
  if (!canListenAt(bind)) {
    return 'this machine has no such address; choose another SERVER_BIND, such as 0.0.0.0 for all that it has'
  }
  const { code } = cause as NodeJS.ErrnoException
  if (code === 'EADDRINUSE') return `the port is in use; stop what listens there, or choose another ${setting}`
  if (code === 'EACCES') return `this user may not take a port that low; choose another ${setting}`
  return `${code ?? messageOf(cause)}; choose another ${setting} or SERVER_BIND`
}

function canListenAt(bind: string): boolean {
  try {
    Bun.listen({ hostname: bind, port: 0, socket: { data: () => {} } }).stop(true)
    return true
  } catch {
    return false
  }
}
