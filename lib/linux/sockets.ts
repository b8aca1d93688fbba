/**
 * Calls of libc that work on the descriptors of sockets: list them, and choose which listener gets new connections. Bun
 * has no API for either. Nothing here closes a descriptor; Bun does.
 */
import { ptr } from 'bun:ffi'
import { readdirSync } from 'node:fs'
import { openLibc } from './libc.ts'

const descriptorsPath = '/proc/self/fd'
const addressBytes = 128
const [familyIpv4, familyIpv6] = [2, 10]
const shutdownBoth = 2
const levelSocket = 1
const optionIsListening = 30
/** SO_ATTACH_FILTER. */
const optionFilter = 26
/** SO_ATTACH_REUSEPORT_CBPF, since Linux 4.5. */
const optionSelectListener = 51
/** Instructions of the kernel's packet filters. Each is a struct sock_filter { u16 code; u8 jt, jf; u32 k }. */
type Instruction = readonly [code: number, jumpTrue: number, jumpFalse: number, k: number]
const [bpfReturn, bpfLoadByte, bpfJumpIfBitSet] = [0x06, 0x30, 0x45]
const [tcpFlagsOffset, tcpFlagSyn] = [13, 0x02]
const wholePacket = 0xffffffff

/** Undefined without glibc. Then only the limit of descriptors bounds the number of connections. */
const libc = openLibc({
  getsockname: { args: ['i32', 'ptr', 'ptr'], returns: 'i32' },
  getpeername: { args: ['i32', 'ptr', 'ptr'], returns: 'i32' },
  getsockopt: { args: ['i32', 'i32', 'i32', 'ptr', 'ptr'], returns: 'i32' },
  setsockopt: { args: ['i32', 'i32', 'i32', 'ptr', 'u32'], returns: 'i32' },
  shutdown: { args: ['i32', 'i32'], returns: 'i32' },
})

// Each call fills these buffers and reads them at once.
const address = new Uint8Array(addressBytes)
const length = new Uint32Array(1)
const flag = new Int32Array(1)

/** Whether the functions below have an effect: with glibc on Linux. */
export const canSteerSockets = libc !== undefined

/**
 * Returns the descriptors of this process, ascending. A new descriptor has the lowest free number, so the latest are
 * usually at the end.
 */
export function descriptors(): number[] {
  return readdirSync(descriptorsPath)
    .map(Number)
    .toSorted((left, right) => left - right)
}

/** Returns whether a descriptor is a connection accepted at a port. */
export function isConnectionAt(port: number, descriptor: number): boolean {
  return localPort(descriptor) === port && hasPeer(descriptor)
}

/** Ends a connection in both directions. The owner of the descriptor then sees the end and closes it. */
export function shutDown(descriptor: number): void {
  libc?.shutdown(descriptor, shutdownBoth)
}

/**
 * Directs all new connections at a port to one of the listeners that share it. The others keep their connections.
 * @param index of that listener, in the order in which they began to listen
 * @returns whether the kernel accepted it; otherwise the kernel continues to choose by hash
 */
export function directNewConnections(port: number, index: number): boolean {
  const [listener] = listenersAt(port)
  return listener !== undefined && attach(listener, optionSelectListener, [[bpfReturn, 0, 0, index]])
}

/**
 * Ignores new connections at a port. Connections whose handshake has begun are accepted as before. A listener that
 * closes resets the connections that it has not accepted, with the requests in them. Ignored clients try again a second
 * later instead, and find the port closed, or its next owner.
 */
export function ignoreNewConnections(port: number): void {
  for (const listener of listenersAt(port)) ignoreNewConnectionsOf(listener)
}

/**
 * Like ignoreNewConnections, for one listener. If others listen at the port, the next attempt may reach one of them,
 * once this one is closed.
 */
export function ignoreNewConnectionsOf(listener: number): void {
  attach(listener, optionFilter, [
    [bpfLoadByte, 0, 0, tcpFlagsOffset],
    [bpfJumpIfBitSet, 0, 1, tcpFlagSyn],
    [bpfReturn, 0, 0, 0],
    [bpfReturn, 0, 0, wholePacket],
  ])
}

/** @returns whether the kernel accepted the program */
function attach(descriptor: number, option: number, program: readonly Instruction[]): boolean {
  const instructions = new Uint8Array(program.length * 8)
  const view = new DataView(instructions.buffer)
  for (const [index, [code, jumpTrue, jumpFalse, k]] of program.entries()) {
    view.setUint16(index * 8, code, true)
    view.setUint8(index * 8 + 2, jumpTrue)
    view.setUint8(index * 8 + 3, jumpFalse)
    view.setUint32(index * 8 + 4, k, true)
  }
  // struct sock_fprog { u16 len; sock_filter *filter }
  const packed = new BigUint64Array([BigInt(program.length), BigInt(ptr(instructions))])
  return libc?.setsockopt(descriptor, levelSocket, option, ptr(packed), packed.byteLength) === 0
}

function listenersAt(port: number): number[] {
  try {
    return descriptors().filter((descriptor) => localPort(descriptor) === port && isListening(descriptor))
  } catch {
    // No descriptor is left to read the directory.
    return []
  }
}

/** Returns the local port, or -1 if the descriptor is not a TCP socket. */
function localPort(descriptor: number): number {
  length[0] = addressBytes
  if (!libc || libc.getsockname(descriptor, ptr(address), ptr(length)) !== 0) return -1
  const family = address[0]! | (address[1]! << 8)
  // Both address families have the port at the same place, in network byte order.
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
