/** Asks the kernel whether anything listens at a URL. */
import { deadline } from '../deadline.ts'

const waitMs = 1_000

/** Whether a connection is refused. Every other result is false: accepted, not answered in time, unknown host. */
export async function isRefused(url: string): Promise<boolean> {
  const { hostname, port, protocol } = new URL(url)
  const number = port === '' ? (protocol === 'https:' ? 443 : 80) : Number(port)
  const host = hostname.replaceAll(/^\[|\]$/g, '')
  return deadline(connectionIsRefused(host, number), waitMs, () => false)
}

async function connectionIsRefused(hostname: string, port: number): Promise<boolean> {
  try {
    const socket = await Bun.connect({ hostname, port, socket: { data() {} } })
    socket.end()
    return false
  } catch (error) {
    return (error as { code?: unknown }).code === 'ECONNREFUSED'
  }
}
