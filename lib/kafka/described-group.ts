/** What a coordinator knows of a group: its state and its members, with what they have said when they joined. */
import type { KafkaClient } from './client.ts'
import { Encoder, type RawRequest } from './connection/raw-request.ts'
import { apiKeys } from './protocol/api-keys.ts'
import { brokerError, errorAction } from './protocol/error-codes.ts'
import { ResponseCursor } from './protocol/response-cursor.ts'

const requestName = 'DescribeGroups'

export interface DescribedMember {
  memberId: string
  clientId: string
  /** Address of its connection, as the coordinator sees it. */
  clientHost: string
  /** Empty while the group rebalances. */
  metadata: Buffer
  assignment: Buffer
}

export interface DescribedGroup {
  /** `Stable`, `PreparingRebalance`, `CompletingRebalance`; `Empty`: without members; `Dead`: it does not exist. */
  state: string
  /** `consumer` for members of the classic protocol that Kafka's tools know; empty if there are none. */
  protocolType: string
  /** The one that all members have; empty if there is none yet. */
  protocol: string
  members: DescribedMember[]
  /** What the user may do with it, as bits of AclOperation; 0 if the broker does not report it. */
  operations: number
}

/** Rejects with LatchkeyError: broker_error with the broker's code, and errors of the connection. */
export async function describeGroup(client: KafkaClient, group: string): Promise<DescribedGroup> {
  const coordinator = await client.coordinator('group', group)
  const raw = await client.send(coordinator, requestOf(group), client.requestTimeoutMs)
  const { errorCode, ...found } = parse(raw)
  if (errorCode === 0) return found
  if (errorAction(errorCode) === 'refresh') client.forgetCoordinator('group', group)
  throw brokerError(`Describing group ${group}`, errorCode)
}

function parse(raw: Buffer): DescribedGroup & { errorCode: number } {
  const response = new ResponseCursor(raw, requestName)
  response.skip(4) // throttle time
  const [found] = response.array(() => {
    const errorCode = response.int16()
    response.string() // group
    return {
      errorCode,
      state: response.string(),
      protocolType: response.string(),
      protocol: response.string(),
      members: response.array(() => ({
        memberId: response.string(),
        clientId: response.string(),
        clientHost: response.string(),
        metadata: response.bytes(),
        assignment: response.bytes(),
      })),
      operations: response.int32(),
    }
  })
  return found ?? { errorCode: 0, state: 'Dead', protocolType: '', protocol: '', members: [], operations: 0 }
}

/** Version 3 is the first that reports operations. */
function requestOf(group: string): RawRequest {
  return {
    apiKey: apiKeys.DescribeGroups,
    apiVersion: 3,
    apiName: requestName,
    encode: () => new Encoder(64 + group.length * 3).writeInt32(1).writeString(group).writeInt8(1),
  }
}
