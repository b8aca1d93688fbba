/** A request to a peer and its answer, between operations and HTTP. */
import { errorTable, LatchkeyError, messageOf } from '../errors.ts'
import type { HopKey, HopKind } from './hop.ts'
import type { PeerOperation, Result } from './operations.ts'
import type { PeerAddress } from './peer-address.ts'
import { type PeerFault, shown } from './peer-fault.ts'
import type { PeerResponse } from './response-reader.ts'
import type { HopReader, HopWriter } from './wire-bytes.ts'
import { readResult, writeOperations } from './wire.ts'

/** Of requests and answers of instances. A page of another site cannot send it without asking first. */
export const wireType = 'application/vnd.latchkey.group'
const problemType = 'application/problem+json'
const problemBytesMax = 65_536

export type Results = readonly Result[]

export interface PeerRequest {
  kind: HopKind
  operations: readonly PeerOperation[]
  endsAt: number
  /** Absent for the present one. */
  token?: string
}

export interface From {
  memberId: string
  generation: number
  partitionCount: number
}

/** A request to a member, with its head. */
export interface SealedRequest {
  readonly bytes: Uint8Array
  readonly body: Uint8Array
}

/** What is the same in all requests to a member. */
export interface Recipient {
  readonly memberId: string
  readonly storeId: string
  readonly address: PeerAddress
  readonly key: HopKey
  from(): From
}

export function encodeRequest(recipient: Recipient, { kind, operations, token }: PeerRequest): SealedRequest {
  return sealRequest(recipient, kind, (writer) => writeOperations(writer, operations), token)
}

/** @param write writes what follows the envelope */
export function sealRequest(
  { memberId, storeId, address, key, from }: Recipient,
  kind: HopKind,
  write: (writer: HopWriter) => void,
  token?: string,
): SealedRequest {
  const { memberId: fromMemberId, generation, partitionCount } = from()
  const writer = key.begin(kind, { memberId, fromMemberId, generation, partitionCount })
  write(writer)
  const body = key.seal(writer, token)
  const target = `${address.prefix}/group/${encodeURIComponent(storeId)}/${kind}`
  const head = `POST ${target} HTTP/1.1\r\nHost: ${address.host}\r\nContent-Type: ${wireType}\r\nContent-Length: ${body.length}\r\n\r\n`
  return { bytes: Buffer.concat([Buffer.from(head, 'latin1'), body]), body }
}

/** @param body of the request */
export function decodeAnswer(
  recipient: Recipient,
  body: Uint8Array,
  { kind, operations }: PeerRequest,
  response: PeerResponse,
): Results | PeerFault {
  // A probe has one result, without an operation.
  const count = kind === 'probe' ? 1 : operations.length
  return openAnswer(recipient, body, response, (reader) => Array.from({ length: count }, () => readResult(reader)))
}

/**
 * @param body of the request
 * @param read reads what follows the envelope
 */
export function openAnswer<T extends object>(
  { key, memberId }: Recipient,
  body: Uint8Array,
  response: PeerResponse,
  read: (reader: HopReader) => T,
): T | PeerFault {
  if (response.status !== 200 || response.contentType !== wireType) return faultOf(response)
  try {
    const { answer, reader } = key.openAnswer(response.body, body)
    if (answer.status === 'joining') return { kind: 'joining', said: 'it has no place in the group yet' }
    if (answer.status === 'elsewhere' || answer.memberId !== memberId) {
      const who = answer.memberId === '' ? 'another process' : `another instance, ${shown(answer.instanceId)},`
      return { kind: 'elsewhere', said: `${who} answers at its URL` }
    }
    const opened = read(reader)
    reader.end()
    return opened
  } catch (thrown) {
    return { kind: 'unreachable', said: `its answer cannot be used: ${messageOf(thrown)}` }
  }
}

function faultOf({ status, contentType, body }: PeerResponse): PeerFault {
  const { code, detail } = contentType === problemType ? problemOf(body) : {}
  const said = `it answered ${status}${detail === undefined ? '' : `: ${shown(detail)}`}`
  if (code === 'host_not_allowed') return { kind: 'host', said }
  if (code === 'unauthorized') return { kind: 'unreachable', said, isFormer: true }
  // What listens there is not an instance of this group.
  if (status === 404) return { kind: 'elsewhere', said }
  return { kind: 'unreachable', said }
}

function problemOf(body: Uint8Array): { code?: string; detail?: string } {
  if (body.length > problemBytesMax) return {}
  try {
    const problem = JSON.parse(new TextDecoder().decode(body)) as unknown
    if (typeof problem !== 'object' || problem === null) return {}
    const { code, detail } = problem as { code?: unknown; detail?: unknown }
    return {
      ...(typeof code === 'string' && Object.hasOwn(errorTable, code) && { code }),
      ...(typeof detail === 'string' && { detail }),
    }
  } catch {
    return {}
  }
}

/** Returns the error for a request that a peer did not answer. */
export function unreachable(attempted: string, url: string, { said }: PeerFault): LatchkeyError {
  const message = `${attempted}: the instance at ${url} did not answer: ${said}`
  return new LatchkeyError('owner_unreachable', message, { details: { tried: [{ url, said }] } })
}
