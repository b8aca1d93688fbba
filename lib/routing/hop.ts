/**
 * Envelopes of what instances send each other. A request names the member that it is for, since a wrong URL, or that of
 * a load balancer, may lead to another one; an answer names who answers. With SERVER_TOKEN both are signed, so that
 * neither a member without the token nor another process at its address learns or says anything. The token itself is
 * never sent.
 *
 * The envelope is part of the body: a head that stays the same is parsed once by the fast path of the server.
 */
import { timingSafeEqual } from 'node:crypto'
import { LatchkeyError } from '../errors.ts'
import { HopReader, HopWriter, wireFault } from './wire-bytes.ts'

const requestMagic = 0x4c_4b_51_31 // LKQ1
const answerMagic = 0x4c_4b_41_31 // LKA1
const magicBytes = 4
const macBytes = 32
const noMac = new Uint8Array(macBytes)
const idLengthMax = 512

/** By how much the clocks of two instances may differ, with the time that a request takes. */
const timeMsMax = 30_000
/** How long what is signed with the former token counts after it was replaced: others get the new one later. */
const formerMsMax = 60_000

/** What a request asks for, as its path says, too. */
export type HopKind = 'read' | 'probe' | 'feeds'

/** What a request says before its operations. */
export interface HopRequest {
  /** The member that it is for. */
  memberId: string
  /** Who asks. */
  fromMemberId: string
  generation: number
  /** Of the source, as who asks knows it: 0 if it does not. */
  partitionCount: number
}

/** What an answer says before its results. */
export interface HopAnswer {
  /** `joining`: who answers has no place in the group yet. `elsewhere`: the request names another member. */
  status: 'answered' | 'joining' | 'elsewhere'
  /** Who answers; empty while it joins. */
  memberId: string
  /** Identity of this life of it. */
  instanceId: string
  generation: number
  partitionCount: number
}

export interface OpenedRequest {
  hop: HopRequest
  /** Reads what follows. */
  reader: HopReader
  /** Ends the answer: it counts for this request only, and is signed with the same token. */
  seal(writer: HopWriter): Uint8Array<ArrayBuffer>
}

const statuses = ['answered', 'joining', 'elsewhere'] as const

/** Signs and checks with the token of the server. */
export class HopKey {
  readonly #storeId: string
  #token: string | undefined
  #former: string | undefined
  #replacedAt = -Infinity

  /** @param token undefined if none is required: then nothing is signed */
  constructor(storeId: string, token: string | undefined) {
    this.#storeId = storeId
    this.#token = token
  }

  /** From now on this token signs. What others sign with the former one counts for a minute. */
  replace(token: string): void {
    if (token === this.#token) return
    this.#former = this.#token
    this.#token = token
    this.#replacedAt = performance.now()
  }

  /** Begins a request; what follows is written behind it, then seal() ends it. */
  begin(kind: HopKind, hop: HopRequest): HopWriter {
    const writer = new HopWriter()
    writer.u32(requestMagic)
    writer.raw(noMac)
    writer.text(kind)
    writer.f64(Date.now())
    writer.text(hop.memberId)
    writer.text(hop.fromMemberId)
    writer.i32(hop.generation)
    writer.u32(hop.partitionCount)
    return writer
  }

  /** @param token the present one by default; `former` for an instance that does not have it yet */
  seal(writer: HopWriter, token = this.#token): Uint8Array<ArrayBuffer> {
    return this.#sign(writer.take(), token)
  }

  /** The token of before, while it counts; else undefined. */
  get former(): string | undefined {
    return performance.now() - this.#replacedAt < formerMsMax ? this.#former : undefined
  }

  /**
   * Opens a request.
   * @throws LatchkeyError unauthorized, malformed_request
   */
  open(kind: HopKind, body: Uint8Array): OpenedRequest {
    const reader = new HopReader(body)
    if (reader.u32() !== requestMagic) throw wireFault('it is not a request of an instance')
    const mac = reader.raw(macBytes)
    const token = this.#tokenOf(body)
    if (reader.text(16) !== kind) throw unauthorized('what it asks for is not what was signed')
    const differenceMs = Math.abs(Date.now() - reader.integer())
    if (this.#token !== undefined && differenceMs > timeMsMax) {
      const found = `it was signed ${Math.round(differenceMs / 1_000)} s ago or ahead, by the clocks of both instances`
      throw unauthorized(`${found}. Set the clocks`)
    }
    const memberId = reader.text(idLengthMax)
    const fromMemberId = reader.text(idLengthMax)
    const hop = { memberId, fromMemberId, generation: reader.i32(), partitionCount: reader.u32() }
    return { hop, reader, seal: (writer) => this.#sign(writer.take(), token, mac) }
  }

  /** Begins the answer to a request. */
  beginAnswer({ status, memberId, instanceId, generation, partitionCount }: HopAnswer): HopWriter {
    const writer = new HopWriter()
    writer.u32(answerMagic)
    writer.raw(noMac)
    writer.u8(statuses.indexOf(status))
    writer.text(memberId)
    writer.text(instanceId)
    writer.i32(generation)
    writer.u32(partitionCount)
    return writer
  }

  /**
   * Opens an answer.
   * @param request the sealed request
   * @throws LatchkeyError unauthorized, malformed_request
   */
  openAnswer(body: Uint8Array, request: Uint8Array): { answer: HopAnswer; reader: HopReader } {
    const reader = new HopReader(body)
    if (reader.u32() !== answerMagic) throw wireFault('it is not an answer of an instance')
    reader.raw(macBytes)
    this.#tokenOf(body, request.subarray(magicBytes, magicBytes + macBytes))
    const status = statuses[reader.u8()]
    if (status === undefined) throw wireFault('a status that is not known')
    const memberId = reader.text(idLengthMax)
    const instanceId = reader.text(idLengthMax)
    return { answer: { status, memberId, instanceId, generation: reader.i32(), partitionCount: reader.u32() }, reader }
  }

  #sign(bytes: Uint8Array<ArrayBuffer>, token: string | undefined, before?: Uint8Array): Uint8Array<ArrayBuffer> {
    if (token !== undefined) bytes.set(this.#macOf(bytes, token, before), magicBytes)
    return bytes
  }

  /** Returns the token with which it is signed. */
  #tokenOf(bytes: Uint8Array, before?: Uint8Array): string | undefined {
    if (this.#token === undefined) return undefined
    const mac = bytes.subarray(magicBytes, magicBytes + macBytes)
    if (timingSafeEqual(mac, this.#macOf(bytes, this.#token, before))) return this.#token
    const { former } = this
    if (former !== undefined && timingSafeEqual(mac, this.#macOf(bytes, former, before))) return former
    const isUnsigned = timingSafeEqual(mac, noMac)
    throw unauthorized(isUnsigned ? 'it is not signed' : 'it is signed with another SERVER_TOKEN')
  }

  #macOf(bytes: Uint8Array, token: string, before: Uint8Array | undefined): Uint8Array {
    const hasher = new Bun.CryptoHasher('sha256', token)
    hasher.update(before === undefined ? `POST /group/${this.#storeId}\0` : `answer /group/${this.#storeId}\0`)
    if (before !== undefined) hasher.update(before)
    return hasher.update(bytes.subarray(magicBytes + macBytes)).digest()
  }
}

function unauthorized(found: string): LatchkeyError {
  return new LatchkeyError('unauthorized', `Checking what another instance sends: ${found}`)
}
