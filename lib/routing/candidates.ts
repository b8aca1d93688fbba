/** In which order copies of a partition are asked. Pure. */
import type { Route } from '../group-protocol/member.ts'

export interface OwnCopy {
  /** -1 none, 0 primary, 1 replica. */
  role: number
  /** Close to the end of the changelog. */
  isReady: boolean
}

/**
 * Returns members in the order in which they are asked: here if primary; the primary; here; other copies; last those
 * that are down.
 *
 * @param self index of this instance in the plan's members; -1 if it is none
 * @param isDown whether a member is known not to answer
 * @returns indexes of members; `self` for the copy here
 */
export function candidatesOf(
  route: Pick<Route, 'primary' | 'copies'>,
  self: number,
  own: OwnCopy,
  isDown: (member: number) => boolean,
): number[] {
  const up: number[] = []
  const down: number[] = []
  const hasOwn = own.role === 0 || (own.role === 1 && own.isReady)
  const add = (member: number) => {
    if (member < 0 || up.includes(member) || down.includes(member)) return
    if (member === self) {
      if (hasOwn) up.push(self)
    } else (isDown(member) ? down : up).push(member)
  }
  if (own.role === 0) add(self)
  add(route.primary)
  add(self)
  for (const copy of route.copies) add(copy)
  // A copy here that is not ready cannot say what is missing, and has most of what is there.
  if (self >= 0 && own.role === 1 && !hasOwn) return [...up, self, ...down]
  return [...up, ...down]
}
