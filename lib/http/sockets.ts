/**
 * Bun.serve counts no connections, and can neither refuse one nor let go of its listener alone. The kernel can do all of that, given the
 * descriptor: these are the five calls of libc for it. Nothing here closes a descriptor, which stays Bun's to do.
 */
import { dlopen, ptr } from 'bun:ffi'
import { readdirSync } from 'node:fs'

const descriptorsPath = '/proc/self/fd'
const addressBytes = 128
const [familyIpv4, familyIpv6] = [2, 10]
const shutdownBoth = 2
const levelSocket = 1
const optionIsListening = 30
/** SO_ATTACH_REUSEPORT_CBPF, since Linux 4.5. */
const optionSelectListener = 51
const bpfReturn = 0x06

const libc = loadLibc()

// Filled by each call and read at once.
const address = new Uint8Array(addressBytes)
const length = new Uint32Array(1)
const flag = new Int32Array(1)

/** Whether the functions below do anything: with glibc on Linux. */
export const canSteerSockets = libc !== undefined

/** Descriptors of this process, ascending: a new one has the lowest free number, so that the latest mostly come last. */
export function descriptors(): number[] {
  return readdirSync(descriptorsPath)
    .map(Number)
    .toSorted((left, right) => left - right)
}

/** Whether a descriptor is a connection accepted at a port. */
export function isConnectionAt(port: number, descriptor: number): boolean {
  return localPort(descriptor) === port && hasPeer(descriptor)
}

/** Ends a connection in both directions; whoever owns the descriptor then sees the end, and closes it. */
export function shutDown(descriptor: number): void {
  libc?.shutdown(descriptor, shutdownBoth)
}

/**
 * Of the listeners that share a port, lets only one have new connections. The others keep what they have.
 * @param index of that one, in the order in which they began to listen
 * @returns whether it is so; otherwise the kernel goes on to choose by hash
 */
export function directNewConnections(port: number, index: number): boolean {
  const listener = listenerAt(port)
  if (!libc || listener === undefined) return false
  // A program of one instruction: struct sock_filter { u16 code; u8 jt, jf; u32 k } in struct sock_fprog { u16 len; sock_filter *filter }.
  const instruction = new Uint8Array(8)
  const view = new DataView(instruction.buffer)
  view.setUint16(0, bpfReturn, true)
  view.setUint32(4, index, true)
  const program = new BigUint64Array([1n, BigInt(ptr(instruction))])
  return libc.setsockopt(listener, levelSocket, optionSelectListener, ptr(program), program.byteLength) === 0
}

function listenerAt(port: number): number | undefined {
  try {
    return descriptors().find((descriptor) => localPort(descriptor) === port && isListening(descriptor))
  } catch {
    // No descriptor is left to read the directory with.
    return undefined
  }
}

/** -1 for what is no TCP socket. */
function localPort(descriptor: number): number {
  length[0] = addressBytes
  if (!libc || libc.getsockname(descriptor, ptr(address), ptr(length)) !== 0) return -1
  const family = address[0]! | (address[1]! << 8)
  // Both kinds of address have the port at the same place, in network order.
  return family === familyIpv4 || family === familyIpv6 ? (address[2]! << 8) | address[3]! : -1
}

function hasPeer(descriptor: number): boolean {
  length[0] = addressBytes
  return libc?.getpeername(descriptor, ptr(address), ptr(length)) === 0
}

function isListening(descriptor: number): boolean {
  length[0] = flag.byteLength
  return libc?.getsockopt(descriptor, levelSocket, optionIsListening, ptr(flag), ptr(length)) === 0 && flag[0] === 1
}

function loadLibc() {
  if (process.platform !== 'linux') return undefined
  try {
    return dlopen('libc.so.6', {
      getsockname: { args: ['i32', 'ptr', 'ptr'], returns: 'i32' },
      getpeername: { args: ['i32', 'ptr', 'ptr'], returns: 'i32' },
      getsockopt: { args: ['i32', 'i32', 'i32', 'ptr', 'ptr'], returns: 'i32' },
      setsockopt: { args: ['i32', 'i32', 'i32', 'ptr', 'u32'], returns: 'i32' },
      shutdown: { args: ['i32', 'i32'], returns: 'i32' },
    }).symbols
  } catch {
    // Another libc: there is no cap then but the one of descriptors.
    return undefined
  }
}
