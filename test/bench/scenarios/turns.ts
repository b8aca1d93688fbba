/** Lookups of some stores by turns of a few seconds while all of them run: each load is compared with the one beside it. */
import type { RunningStore } from '../contenders/index.ts'
import { lookups } from '../load/load.ts'
import { type Bench, rotated } from './bench.ts'

export interface TurnTarget {
  store: RunningStore
  /** Processor time counts of all of them, besides that of `store`. */
  others?: readonly RunningStore[]
  token?: string | undefined
}

export interface LookupTurn {
  perSecond: number
  /** Microseconds of processor time a lookup. */
  processorUs: number
}

const warmSeconds = 3

/**
 * @param keys of the stores
 * @returns what each target took, turn by turn
 */
export async function lookupTurns(
  { options }: Bench,
  targets: readonly TurnTarget[],
  keys: number,
  { turns, seconds }: { turns: number; seconds: number },
): Promise<LookupTurn[][]> {
  const { connections } = options
  const found = targets.map((): LookupTurn[] => [])
  for (const target of targets) await load(target, warmSeconds)
  for (let turn = 0; turn < turns; turn++) {
    for (const target of rotated(targets, turn)) found[targets.indexOf(target)]!.push(await load(target, seconds))
  }
  return found

  async function load({ store, others = [], token }: TurnTarget, lasting: number): Promise<LookupTurn> {
    const { url, lookupPath } = store
    const processorMs = () => [store, ...others].reduce((sum, one) => sum + one.processorMs(), 0)
    const before = processorMs()
    const { perSecond, failures } = await lookups({ url, lookupPath, keys, connections, seconds: lasting, token })
    const processorUs = ((processorMs() - before) * 1_000) / (perSecond * lasting)
    if (failures > 0) throw new Error(`${url}: ${failures} lookups failed`)
    return { perSecond, processorUs }
  }
}
