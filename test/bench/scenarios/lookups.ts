/**
 * Lookups of all contenders and of a constant answer, in turns of some seconds while all of them run: where the machine is slower for a minute, it is so
 * for everybody. What those do meanwhile that are not asked is small, and everybody has it beside its own turn.
 */
import type { Contender, StoreSettings } from '../contenders/index.ts'
import { constantAnswer } from '../limits/constant.ts'
import { lookups } from '../load/load.ts'
import { textOf } from '../report/metrics.ts'
import { limit } from '../report/results.ts'
import { type Bench, rotated, say, verify } from './bench.ts'

/** A JIT has to have seen the lookups before they are timed. */
const warmSeconds = 3
/** A machine that others share is slower for some seconds, too: one turn in a round says little. */
const turnsARound = 3

/** What is asked: a contender, or the constant answer. */
interface Asked {
  name: string
  url: string
  lookupPath: string
  /** Milliseconds so far; of the contenders. */
  processorMs?: () => number
}

/** @param stores with a changelog that each recovers from */
export async function lookupsByTurns(bench: Bench, stores: ReadonlyMap<Contender, StoreSettings>): Promise<void> {
  const { rounds, valueBytes, connections, records: keys } = bench.options
  await using running = new AsyncDisposableStack()
  const asked: Asked[] = [{ name: limit, ...running.use(await constantAnswer(valueBytes)) }]
  for (const [contender, settings] of stores) {
    const store = await contender.start(settings)
    running.defer(() => store.stop())
    await store.answers()
    await verify(store, settings)
    const { url, lookupPath } = store
    asked.push({ name: contender.name, url, lookupPath, processorMs: () => store.processorMs() })
  }
  for (const { url, lookupPath } of asked) await lookups({ url, lookupPath, keys, connections, seconds: warmSeconds })
  for (let turns = 0; turns < rounds * turnsARound; turns++) {
    for (const one of rotated(asked, turns)) await turn(bench, one)
  }
}

async function turn({ options, results }: Bench, { name, url, lookupPath, processorMs }: Asked): Promise<void> {
  const { connections, seconds, records: keys } = options
  const before = processorMs?.()
  const { perSecond, p50Ms, p99Ms, processorShare, failures } = await lookups({
    url,
    lookupPath,
    keys,
    connections,
    seconds,
  })
  if (failures > 0) throw new Error(`${name}: ${failures} lookups failed`)
  results.add(name, { lookups: perSecond, loadShare: processorShare, idleP50: p50Ms, idleP99: p99Ms })
  if (processorMs && before !== undefined) {
    results.add(name, { lookupProcessor: ((processorMs() - before) * 1000) / (perSecond * seconds) })
  }
  say(`${name}: lookups ${textOf(perSecond, '/s')}/s`)
}
