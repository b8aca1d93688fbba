/** What was seen of a fleet: plain data, so that a forged one can be held against the checker. */
import type { History, Read } from '../fault-run/history.ts'

/** `instance` is the one that answered, asked by the client or by another instance: instances count from 0 over all lives of all places. */
export interface FleetRead extends Read {
  /** Who was asked. */
  asked: number
  sentAt: number
  /** Of the request; undefined without. */
  maxLag: number | undefined
  role: 'primary' | 'replica'
  /** As the answer says; null where it says that it does not know. A primary that says nothing claims 0. */
  lag: number | null
}

export interface FleetHistory extends History {
  reads: readonly FleetRead[]
  /** Adds to a time of performance.now() to make it one of markers. */
  epochMs: number
}

/** What an answer says of who gave it. */
export interface Provenance {
  role: 'primary' | 'replica'
  lag: number | null
  /** Instance that answered, where it is not the one that was asked. */
  by: string | null
  partition: number
  offset: number
}

export function provenanceOf(headers: Headers): Provenance {
  const role = headers.get('x-latchkey-role') === 'replica' ? 'replica' : 'primary'
  const lag = headers.get('x-latchkey-lag')
  return {
    role,
    lag: lag === null ? (role === 'primary' ? 0 : null) : /^\d+$/.test(lag) ? Number(lag) : null,
    by: headers.get('x-latchkey-instance'),
    partition: Number(headers.get('x-kafka-partition') ?? -1),
    offset: Number(headers.get('x-kafka-offset') ?? -1),
  }
}
