import { createServer } from 'node:net'

/**
 * Below the range that Linux and macOS hand out for outgoing connections, so that the port of a stopped broker is still free when it
 * starts again.
 */
const lowestPort = 20_000
const highestPort = 32_000
const triesMax = 100
const bindTries = 3

/** Ports that nothing listens on now. They are not reserved: code that binds one must be ready to try again with another. */
export async function freePorts(count: number): Promise<number[]> {
  const ports = new Set<number>()
  for (let tries = 0; ports.size < count; tries++) {
    if (tries === triesMax) {
      throw new Error(`find ${count} free ports: none between ${lowestPort} and ${highestPort} after ${triesMax} tries`)
    }
    const port = lowestPort + Math.floor(Math.random() * (highestPort - lowestPort))
    if (await isFree(port)) ports.add(port)
  }
  return [...ports]
}

/** What is to be closed where a start fails. */
export type Closing = { close(): Promise<void> }[]

/**
 * Starts what binds to ports that are free now, with others where another process has taken one meanwhile.
 * @param start adds to `closing` what it has begun
 */
export async function onFreePorts<T>(
  count: number,
  start: (ports: readonly number[], closing: Closing) => Promise<T>,
): Promise<T> {
  for (let tries = 1; ; tries++) {
    const closing: Closing = []
    try {
      return await start(await freePorts(count), closing)
    } catch (error) {
      await Promise.all(closing.map((one) => one.close()))
      if (tries === bindTries || !String(error).includes('BindException')) throw error
    }
  }
}

export function isFree(port: number, host = '127.0.0.1'): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, host, () => server.close(() => resolve(true)))
  })
}
