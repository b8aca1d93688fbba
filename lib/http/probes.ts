/** Liveness and readiness. Readiness is a list of named conditions, each of which can be read. */
import { LatchkeyError } from '../errors.ts'
import { escapeControls } from '../log/index.ts'
import type { Condition, StoreStatus } from '../store-protocol/status.ts'
import { problemResponse } from './problem.ts'
import { textResponse } from './responses.ts'
import type { StoreView } from './store-view.ts'

/** Answers 200 whenever the process can answer: an orchestrator must not restart a store that recovers for an hour. */
export function liveness(): Response {
  return textResponse('alive\n')
}

/**
 * @param verbose one line per condition, `[+]name ok` or `[-]name reason`, instead of a problem that names the failing
 *   conditions
 */
export function readiness(store: StoreView, verbose: boolean): Response {
  const conditions = conditionsOf(store.status())
  const failing = conditions.filter(({ ok }) => !ok)
  if (verbose) {
    // A reason may have text of another instance of the group.
    const lines = conditions.map(({ name, ok, reason }) =>
      escapeControls(ok ? `[+]${name} ${reason ?? 'ok'}` : `[-]${name} ${reason ?? 'failed'}`),
    )
    lines.push(failing.length === 0 ? 'ready' : 'not ready')
    return textResponse(`${lines.join('\n')}\n`, failing.length === 0 ? 200 : 503)
  }
  if (failing.length === 0) return textResponse('ready\n')
  const found = failing.map(({ name, reason }) => (reason === undefined ? name : `${name} (${reason})`)).join(', ')
  const conditionsFailing = failing.map(({ name, reason }) => ({ name, ...(reason !== undefined && { reason }) }))
  return problemResponse(
    new LatchkeyError('not_ready', `Checking readiness: ${found}`, { details: { conditions: conditionsFailing } }),
  )
}

/** Returns the conditions, with a failing one if the store does not run: such a store is never ready. */
export function conditionsOf({ state, conditions }: StoreStatus): Condition[] {
  if (state === 'running' || conditions.some(({ ok }) => !ok)) return conditions
  return [...conditions, { name: 'running', ok: false, reason: `the store is ${state}` }]
}
