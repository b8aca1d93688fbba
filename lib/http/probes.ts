/** Liveness and readiness: readiness is a list of named conditions, each of which can be looked up. */
import { LatchkeyError } from '../errors.ts'
import type { Condition } from '../store-protocol/status.ts'
import { problemResponse } from './problem.ts'
import { textResponse } from './responses.ts'
import type { StoreView } from './store-view.ts'

/** Alive whenever it can answer: a store that recovers for an hour must not be restarted for it. */
export function liveness(): Response {
  return textResponse('alive\n')
}

/** @param verbose a line a condition, `[+]name ok` or `[-]name reason`, instead of a problem that names the failing ones */
export function readiness(store: StoreView, verbose: boolean): Response {
  const conditions = conditionsOf(store)
  const failing = conditions.filter(({ ok }) => !ok)
  if (verbose) {
    const lines = conditions.map(({ name, ok, reason }) => (ok ? `[+]${name} ok` : `[-]${name} ${reason ?? 'failed'}`))
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

/** A store that does not run is never ready, whatever its own conditions say. */
function conditionsOf(store: StoreView): Condition[] {
  const { state, conditions } = store.status()
  if (state === 'running' || conditions.some(({ ok }) => !ok)) return conditions
  return [...conditions, { name: 'running', ok: false, reason: `the store is ${state}` }]
}
