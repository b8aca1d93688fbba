/** One round: its own topic, faults for a while, then all is healed, and the history is checked against the invariants. */
import { FaultRun } from '../support/fault-run/fault-run.ts'
import { violations } from '../support/fault-run/invariants.ts'
import type { KafkaCluster } from '../support/kafka/index.ts'
import type { Random } from '../support/random.ts'
import { brokerActs } from './broker-faults.ts'
import { keepEvidence } from './evidence.ts'
import { type FaultName, storeFaults } from './fault-names.ts'
import type { Options } from './options.ts'
import { networkActs, storeActs } from './other-faults.ts'
import type { Scene } from './scene.ts'
import { settle } from './settle.ts'
import { SupervisedStore } from './supervised-store.ts'
import type { Tally } from './tally.ts'

const acts = { ...brokerActs, ...storeActs, ...networkActs }
const quietMs = [300, 3_000] as const
/** Part of the faults of brokers during which something happens to the store, too. */
const bothShare = 0.4
const answerDelayMsMax = 30
/** After all is healed, and beside what the lag takes at this rate, which any machine does. */
const catchUpMsMax = 10_000
const recordsPerMsMin = 2

export async function playRound(
  cluster: KafkaCluster,
  random: Random,
  options: Options & { executable: string | undefined },
  tally: Tally,
): Promise<string[]> {
  const { partitions, keys, roundSeconds } = options
  // One replica acknowledges alone, so that an unclean election has something to lose.
  const config = { 'min.insync.replicas': '1' }
  const workload = { keys, pauseMs: 5 }
  const { executable } = options
  const run = await FaultRun.open(cluster, random, {
    partitions,
    source: config,
    changelog: config,
    workload,
    executable,
  })
  const store = new SupervisedStore(run)
  const pause = (fromMs: number, toMs: number) => Bun.sleep(fromMs + random.below(toMs - fromMs))
  const scene: Scene = { cluster, run, store, random, partitions, pause }
  const found: string[] = []
  try {
    // Brokers take their time, so that something is under way whenever a fault comes.
    run.recorder.faults.produceAnswer = () => Bun.sleep(random.below(answerDelayMsMax))
    run.workload.start()
    run.reader.start()
    await store.start()
    const end = performance.now() + roundSeconds * 1_000
    while (performance.now() < end) {
      await pause(...quietMs)
      await strike(scene, options.faults, tally)
    }
    await cluster.revive()
    found.push(...(await verdict(run, store, tally)))
  } catch (error) {
    // The harness could not continue; what it saw until then may say why.
    found.push(`the round ended: ${(error as Error).stack}`)
  } finally {
    await store.release()
    if (found.length > 0) keepEvidence(run, found, options.keep)
    count(run, store, tally)
    await run.close()
  }
  return found
}

async function strike(scene: Scene, names: readonly FaultName[], tally: Tally): Promise<void> {
  const { random, cluster } = scene
  const name = random.pick(names)
  if (name in brokerActs) await cluster.healthy()
  const ofStore = storeFaults.filter((fault) => names.includes(fault))
  const both = name in brokerActs && ofStore.length > 0 && random.next() < bothShare
  const other = both ? random.pick(ofStore) : undefined
  console.log(`  ${new Date().toISOString().slice(11, 19)} ${name}${other ? ` and ${other}` : ''}`)
  tally.struck(name)
  if (other) tally.struck(other)
  const later = async () => {
    if (other === undefined) return
    await scene.pause(0, 4_000)
    await acts[other](scene)
  }
  await Promise.all([acts[name](scene), later()])
}

async function verdict(run: FaultRun, store: SupervisedStore, tally: Tally): Promise<string[]> {
  run.recorder.faults.produceAnswer = undefined
  const healedAt = performance.now()
  const behind = (await run.process.status(run.topic))?.details.reduce((sum, { lag }) => sum + (lag ?? 0), 0) ?? 0
  const notSettled = await settle(run, async () => {
    await run.workload.stop()
    await run.caughtUp()
  })
  if (notSettled !== undefined) return [`I10 liveness: after healing, ${notSettled}`]
  const tookMs = performance.now() - healedAt
  tally.slowestCatchUpMs = Math.max(tally.slowestCatchUpMs, tookMs)
  const slow = tookMs > catchUpMsMax + behind / recordsPerMsMin
  const late = slow ? [`I10 liveness: ${behind} records behind after healing, it took ${Math.round(tookMs)} ms`] : []
  await store.release()
  await run.reader.stop()
  const found = [...late, ...violations(await run.history())]
  if (found.length > 0) return found
  const notRecovered = await settle(run, () => run.verifyCompacted())
  return notRecovered === undefined ? [] : [`I2 convergence: after compaction and a cold restart, ${notRecovered}`]
}

function count(run: FaultRun, store: SupervisedStore, tally: Tally): void {
  tally.rounds++
  tally.starts += run.instances.length
  tally.ends.push(...store.ends)
  tally.records += run.workload.written
  tally.lookups += run.reader.reads.length
  tally.unanswered += run.reader.unanswered
  for (const answer of run.reader.refusals) tally.refused(answer)
}
