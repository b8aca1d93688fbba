/** Why a part of an answer is not known: what each of the instances said that may have it. */
import { LatchkeyError } from '../errors.ts'
import { isForElsewhere } from './forwarded-lookup.ts'

export interface Namer {
  /** Beginning of messages. */
  readonly attempted: string
  nameOf(member: string): string
}

export interface Unanswered {
  readonly candidates: readonly string[]
  /** By member; absent for those that have not answered. */
  readonly said: ReadonlyMap<string, string>
  readonly partition: number
}

/** Whether another copy may know more than the one that was asked. */
export function mayBeElsewhere(error: LatchkeyError): boolean {
  return error.code === 'owner_unreachable' || isForElsewhere(error)
}

/** Whether no copy has answered. */
export function isUnanswered(error: LatchkeyError): boolean {
  return error.code === 'partition_unassigned' || mayBeElsewhere(error)
}

export function unansweredError(namer: Namer, { candidates, said, partition }: Unanswered): LatchkeyError {
  const { attempted } = namer
  if (candidates.length === 0) {
    const message = `${attempted}: no instance of the group holds partition ${partition} now. GET /group says why`
    return new LatchkeyError('partition_unassigned', message, { details: { partition } })
  }
  const tried = candidates.map((member) => ({
    url: namer.nameOf(member),
    said: said.get(member) ?? 'no answer in time',
  }))
  const list = tried.map((one) => `${one.url}: ${one.said}`).join('; ')
  const message = `${attempted}: no instance that holds partition ${partition} has answered: ${list}. Ask again`
  return new LatchkeyError('owner_unreachable', message, { details: { partition, tried } })
}
