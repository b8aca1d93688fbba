import type { FaultRun } from '../support/fault-run/fault-run.ts'

/** Why `condition` did not come, with the status of the store; undefined if it came. */
export async function settle(run: FaultRun, condition: () => Promise<void>): Promise<string | undefined> {
  try {
    await condition()
    return undefined
  } catch (error) {
    const status = await run.process.status(run.topic)
    const details = status?.details.map(({ partition, state, position, end }) => {
      return `partition ${partition} ${state} at ${position} of ${end}`
    })
    const description = status
      ? `${status.state}, ${status.reason ?? 'no reason'}: ${details?.join(', ')}`
      : 'no status'
    return `${(error as Error).message}\n(${description})`
  }
}
