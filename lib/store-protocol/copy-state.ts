/** What an instance has of one partition. Plain data. */
export interface CopyState {
  /** 0 primary, 1 replica, -1 not held. */
  readonly role: number
  /** Close to the end of the changelog. */
  readonly isReady: boolean
  /** False: its primary has not reached the source's end as it was at its start, so a record may still arrive. */
  readonly caughtUp: boolean
  /** It will not catch up: a record cannot be stored. */
  readonly isHalted: boolean
  /** As Lookup.replicaLag. */
  readonly lag: number | null | undefined
}

export const noCopy: CopyState = { role: -1, isReady: false, caughtUp: false, isHalted: false, lag: undefined }
