/** `GET /group`: who holds what. Text for a terminal, which sends no wish; JSON for programs. */
import { LatchkeyError } from '../errors.ts'
import { groupText } from '../group-protocol/describe-group.ts'
import type { StoreStatus } from '../store-protocol/status.ts'
import { accepted } from './accept.ts'
import type { RequestHeaders } from './request-head.ts'
import { jsonResponse, textResponse } from './responses.ts'

const mediaTypes = [
  ['text', 'text/plain'],
  ['json', 'application/json'],
] as const

/** @throws LatchkeyError path_not_found without a group, not_acceptable */
export function groupAnswer(headers: RequestHeaders, { group }: StoreStatus): Response {
  if (group === undefined) {
    const found = 'this store is in none; ELASTIC=true makes one of all its instances'
    throw new LatchkeyError('path_not_found', `Reading the group: ${found}`)
  }
  const form = accepted(headers.get('accept'), mediaTypes, 'Reading the group')
  const response = form === 'json' ? jsonResponse(group) : textResponse(groupText(group))
  response.headers.append('Vary', 'Accept')
  return response
}
