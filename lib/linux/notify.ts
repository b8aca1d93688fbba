/**
 * Messages to the service manager, sd_notify(3): a datagram to the Unix socket that NOTIFY_SOCKET names. Neither Bun nor
 * Node has datagrams of Unix sockets.
 */
import { ptr } from 'bun:ffi'
import { openLibc } from './libc.ts'

const familyUnix = 1
/** SOCK_DGRAM | SOCK_CLOEXEC. */
const datagram = 0x80002
/** MSG_DONTWAIT | MSG_NOSIGNAL: a service manager that hangs must not stop the store. */
const flags = 0x4040
/** struct sockaddr_un: u16 family, 108 bytes of path. */
const familyBytes = 2
const pathBytesMax = 107

/**
 * @param path of the socket; `@` stands for the zero byte that begins an abstract address
 * @returns a function that sends `NAME=value` lines and returns whether they were sent; undefined if there is no socket
 *   of this kind
 */
export function openNotifySocket(path: string): ((message: string) => boolean) | undefined {
  const libc = openLibc({
    socket: { args: ['i32', 'i32', 'i32'], returns: 'i32' },
    sendto: { args: ['i32', 'ptr', 'u64', 'i32', 'ptr', 'u32'], returns: 'i64' },
  })
  const name = Buffer.from(path)
  if (!libc || !/^[/@]/.test(path) || name.length > pathBytesMax) return undefined
  const descriptor = libc.socket(familyUnix, datagram, 0)
  if (descriptor < 0) return undefined
  const isAbstract = path.startsWith('@')
  const address = new Uint8Array(familyBytes + name.length + (isAbstract ? 0 : 1))
  new DataView(address.buffer).setUint16(0, familyUnix, true)
  address.set(name, familyBytes)
  if (isAbstract) address[familyBytes] = 0
  return (message) => {
    const bytes = Buffer.from(message)
    return (
      libc.sendto(descriptor, ptr(bytes), bytes.length, flags, ptr(address), address.length) === BigInt(bytes.length)
    )
  }
}
