/**
 * What a group costs: an instance that is its only member beside one without a group, by turns, in ingest, recovery and
 * lookups; then lookups that one of two instances forwards to the other, beside those that the other answers itself.
 */
import type { Contender, RunningStore, StoreSettings } from '../contenders/index.ts'
import { type MetricName, textOf } from '../report/metrics.ts'
import { spreadOf } from '../report/statistics.ts'
import { subject } from '../report/wanted.ts'
import { type Bench, dropTopics, filledTopic, newStore, say } from './bench.ts'
import { ingestWhole } from './stages.ts'
import { type LookupTurn, lookupTurns } from './turns.ts'

const elastic = { ELASTIC: 'true' }
const turns = { turns: 10, seconds: 2 }
const forwardedTurns = { turns: 6, seconds: 2 }
const forwardedKeys = 200_000
const readyMaxMs = 120_000
/** Answers take processor time of the store, too. */
const pollMs = 20

interface Pair<T> {
  alone: T
  inGroup: T
}

export async function group(bench: Bench): Promise<void> {
  const contender = bench.contenders.find(({ name }) => name === subject)
  if (!contender) return
  const source = await filledTopic(bench, 'group')
  let last: Pair<StoreSettings> | undefined
  for (let round = 0; round < bench.options.rounds; round++) {
    const pair: Pair<StoreSettings> = {
      alone: await newStore(bench, contender, source),
      inGroup: { ...(await newStore(bench, contender, source)), environment: elastic },
    }
    await ingest(bench, contender, pair, round)
    await recovery(bench, contender, pair, round)
    if (last !== undefined) await dropTopics(bench, changelogsOf(contender, last))
    last = pair
  }
  await lookupsAlone(bench, contender, last!)
  await dropTopics(bench, [source, ...changelogsOf(contender, last!)])
  await forwarded(bench, contender, 'forwardedCost')
  await forwarded(bench, contender, 'forwardedSignedCost', 'a-token-of-the-bench')
}

function changelogsOf(contender: Contender, { alone, inGroup }: Pair<StoreSettings>): string[] {
  return [alone, inGroup].map(({ id }) => contender.changelogOf(id))
}

/** Each round begins with the other one. */
async function byTurns<T>(
  pair: Pair<StoreSettings>,
  round: number,
  of: (settings: StoreSettings) => Promise<T>,
): Promise<Pair<T>> {
  if (round % 2 === 0) {
    const alone = await of(pair.alone)
    return { alone, inGroup: await of(pair.inGroup) }
  }
  const inGroup = await of(pair.inGroup)
  return { alone: await of(pair.alone), inGroup }
}

async function ingest(bench: Bench, contender: Contender, pair: Pair<StoreSettings>, round: number): Promise<void> {
  const { alone, inGroup } = await byTurns(pair, round, (settings) =>
    ingestWhole(bench, contender, settings, bench.options.records),
  )
  note(bench, {
    groupIngest: inGroup.ingest / alone.ingest,
    groupIngestProcessor: alone.ingestProcessor / inGroup.ingestProcessor,
  })
}

async function recovery(bench: Bench, contender: Contender, pair: Pair<StoreSettings>, round: number): Promise<void> {
  const { alone, inGroup } = await byTurns(pair, round, async (settings) => {
    const store = await contender.start(settings)
    try {
      await until(store, '/metrics', (metrics) => /^latchkey_records_recovered_total\S* [1-9]/m.test(metrics))
      const [begunAt, before] = [performance.now(), store.processorMs()]
      await ready(store)
      const ms = performance.now() - begunAt
      const processorMs = store.processorMs() - before
      const restartMs = performance.now() - store.startedAt
      const times = [ms, processorMs, restartMs].map((time) => textOf(time, 'ms'))
      say(`${settings.id}: recovered in ${times[0]} ms, processor time ${times[1]} ms; restarted in ${times[2]} ms`)
      return { ms, processorMs, restartMs }
    } finally {
      await store.stop()
    }
  })
  note(bench, {
    groupRecovery: alone.ms / inGroup.ms,
    groupRecoveryProcessor: alone.processorMs / inGroup.processorMs,
    groupRestart: inGroup.restartMs - alone.restartMs,
  })
}

async function lookupsAlone(bench: Bench, contender: Contender, pair: Pair<StoreSettings>): Promise<void> {
  await using stack = new AsyncDisposableStack()
  const alone = await started(contender, pair.alone, stack)
  const inGroup = await started(contender, pair.inGroup, stack)
  const targets = [{ store: alone }, { store: inGroup }]
  const [ofOne = [], ofGroup = []] = await lookupTurns(bench, targets, bench.options.records, turns)
  for (const [turn, one] of ofOne.entries()) {
    note(bench, {
      groupLookups: ofGroup[turn]!.perSecond / one.perSecond,
      groupLookupsProcessor: one.processorUs / ofGroup[turn]!.processorUs,
    })
  }
  say(`lookups: ${medianOf(ofOne)} µs without a group, ${medianOf(ofGroup)} µs in one`)
}

/** One partition, so that every lookup is forwarded by the instance that is not its primary. */
async function forwarded(bench: Bench, contender: Contender, metric: MetricName, token?: string): Promise<void> {
  const shape = { partitions: 1, records: forwardedKeys }
  const source = await filledTopic(bench, 'forwarded', shape)
  const environment = { ...elastic, ...(token !== undefined && { SERVER_TOKEN: token }) }
  const settings = { ...(await newStore(bench, contender, source, shape)), environment }
  {
    await using stack = new AsyncDisposableStack()
    const primary = await started(contender, settings, stack)
    const other = await started(contender, settings, stack)
    await verifyForwarding(primary, other, token)
    const local = { store: primary, others: [other], token }
    const hop = { store: other, others: [primary], token }
    const [locals = [], hops = []] = await lookupTurns(bench, [local, hop], forwardedKeys, forwardedTurns)
    for (const [turn, one] of locals.entries()) {
      note(bench, { [metric]: hops[turn]!.processorUs / one.processorUs })
    }
    const which = token === undefined ? 'without a token' : 'with a token'
    say(`lookups ${which}: ${medianOf(locals)} µs at the primary, ${medianOf(hops)} µs forwarded`)
  }
  await dropTopics(bench, [source, contender.changelogOf(settings.id)])
}

function medianOf(found: readonly LookupTurn[]): string {
  return textOf(spreadOf(found.map(({ processorUs }) => processorUs)).median, 'µs')
}

async function started(
  contender: Contender,
  settings: StoreSettings,
  stack: AsyncDisposableStack,
): Promise<RunningStore> {
  const store = await contender.start(settings)
  stack.defer(() => store.stop())
  await ready(store)
  return store
}

/** Everything is recovered, and answered. */
function ready(store: RunningStore): Promise<void> {
  return until(store, '/readyz', () => true)
}

async function until(
  { url, startedAt }: RunningStore,
  path: string,
  isReached: (text: string) => boolean,
): Promise<void> {
  for (;;) {
    const response = await fetch(`${url}${path}`).catch(() => undefined)
    const text = await response?.text()
    if (response?.status === 200 && isReached(text!)) return
    if (performance.now() - startedAt > readyMaxMs) throw new Error(`${url}${path}: ${text}`)
    await Bun.sleep(pollMs)
  }
}

/** An answer of another instance names it. */
async function verifyForwarding(primary: RunningStore, other: RunningStore, token: string | undefined): Promise<void> {
  for (const { url, lookupPath } of [primary, other]) {
    const headers = token === undefined ? {} : { authorization: `Bearer ${token}` }
    const response = await fetch(`${url}${lookupPath}user-0`, { headers })
    const isForwarded = response.headers.has('x-latchkey-instance')
    if (response.status === 200 && isForwarded === (url === other.url)) continue
    throw new Error(
      `${url} answers ${response.status}, ${isForwarded ? '' : 'not '}forwarded: ${await response.text()}`,
    )
  }
}

function note({ results }: Bench, values: Partial<Record<MetricName, number>>): void {
  results.add(subject, values)
  const texts = Object.entries(values).map(([name, value]) => `${name} ${textOf(value, 'ratio')}`)
  say(`group: ${texts.join(', ')}`)
}
