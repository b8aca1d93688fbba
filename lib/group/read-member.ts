/** Reads what a member has sent when it joined. */
import { LatchkeyError } from '../errors.ts'
import type { MemberReport } from '../group-protocol/member.ts'
import { subscriptionData } from './consumer-protocol.ts'
import { decodeMember } from './member-data.ts'
import type { Unsealed } from './sealed.ts'

/** Returns what it reports, or why that cannot be read: another program, or another token. */
export function readMember(group: string, token: string | undefined, metadata: Buffer): Unsealed<MemberReport> {
  try {
    return decodeMember(group, token, subscriptionData(metadata))
  } catch (error) {
    if (error instanceof LatchkeyError) return { reason: `not readable: ${error.message}` }
    throw error
  }
}
