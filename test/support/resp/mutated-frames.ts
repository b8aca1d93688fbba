/** Frames of the Redis protocol that were changed by chance: what they mean must not depend on how they arrive. */
import { CommandReader } from '../../../lib/resp/command-reader.ts'
import { ProtocolError } from '../../../lib/resp/protocol-error.ts'
import { Random } from '../random.ts'
import { command } from './replies.ts'

export interface Read {
  commands: string[][]
  fault: string | undefined
  /** Bytes that wait for more. */
  pending: number
}

/** Reads pieces as they would arrive. */
export function readAll(pieces: readonly Uint8Array[], isTrusted = true): Read {
  const reader = new CommandReader(isTrusted)
  const commands: string[][] = []
  try {
    for (const piece of pieces) {
      // A copy, because a reader may change what it is given.
      reader.add(new Uint8Array(piece))
      while (reader.next()) {
        const words = Array.from({ length: reader.count }, (_, index) => reader.argument(index))
        commands.push(words.map((word) => Buffer.from(word).toString('latin1')))
      }
    }
  } catch (thrown) {
    if (!(thrown instanceof ProtocolError)) throw thrown
    return { commands, fault: thrown.message, pending: 0 }
  }
  return { commands, fault: undefined, pending: reader.pending }
}

const seeds = [
  command('GET', 'key:000000000001'),
  command('MGET', 'a', '', 'b\r\nc', 'd'.repeat(300)),
  Buffer.concat([command('PING'), command('HELLO', '3', 'AUTH', 'default', 'token'), command('PING')]),
  command('SCAN', '0', 'MATCH', 'user:*', 'COUNT', '100'),
  Buffer.concat([command('HELLO', '3'), command('SUBSCRIBE', 'a', '__keyspace@0__:a'), command('GET', 'a')]),
  Buffer.concat([command('PSUBSCRIBE', '__key*', '*'), command('PING'), command('PUNSUBSCRIBE')]),
  command('CLIENT', 'TRACKING', 'ON', 'BCAST', 'PREFIX', 'a', 'PREFIX', 'b'),
  Buffer.concat([command('CLIENT', 'TRACKING', 'ON', 'OPTIN'), command('CLIENT', 'CACHING', 'YES'), command('RESET')]),
  Buffer.from('PING\r\nGET "a b"\r\n\r\nECHO \'x\'\r\n'),
  Buffer.from('*0\r\n*-1\r\n*1\r\n$0\r\n\r\n'),
  Buffer.concat([Buffer.from('*3\r\n'), command('GET', 'a')]),
]

const splices = [
  '\r\n',
  '*',
  '$',
  '-1',
  '$-1\r\n',
  '*1\r\n',
  '999999999999',
  '0',
  '"',
  '\0',
  '$1048577\r\n',
  '*65537\r\n',
]

/** Changes frames in up to four places. */
export function mutate(random: Random): Buffer {
  let bytes: Buffer = Buffer.concat(Array.from({ length: 1 + random.below(3) }, () => random.pick(seeds)))
  for (let change = random.below(5); change > 0; change--) bytes = mutateOnce(bytes, random)
  return bytes
}

function mutateOnce(bytes: Buffer, random: Random): Buffer {
  const at = random.below(bytes.length + 1)
  const end = Math.min(bytes.length, at + random.below(4))
  const between = random.pick([
    () => Buffer.from(random.pick(splices)),
    () => Buffer.from([random.below(256)]),
    () => Buffer.alloc(0),
    () => bytes.subarray(at, at + random.below(20)),
  ])()
  return Buffer.concat([bytes.subarray(0, at), between, bytes.subarray(end)])
}

function cutAtRandom(bytes: Uint8Array, random: Random): Uint8Array[] {
  const parts: Uint8Array[] = []
  for (let at = 0; at < bytes.length;) {
    const end = at + 1 + random.below(random.pick([1, 3, 40]))
    parts.push(bytes.subarray(at, end))
    at = end
  }
  return parts
}

/** Throws for the first of `count` frames that is read differently in pieces. */
export function mutatedFrames(count: number, seed: number): void {
  const random = new Random(seed)
  for (let frame = 0; frame < count; frame++) {
    const bytes = mutate(random)
    const whole = JSON.stringify(readAll([bytes]))
    const inPieces = JSON.stringify(readAll(cutAtRandom(bytes, random)))
    if (whole !== inPieces) {
      throw new Error(
        `frame ${frame} of seed ${seed}, ${JSON.stringify(bytes.toString('latin1'))}: whole ${whole}, in pieces ${inPieces}`,
      )
    }
  }
}
