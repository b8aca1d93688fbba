/** Defects of instances that share partitions, each of which a test has to find (main.ts). */
import { type Plant, plant } from '../plants.ts'

const ownership = 'lib/store-thread/ingest/partition-ownership.ts'
const replica = 'lib/store-thread/replica.ts'
const primaries = 'lib/store-thread/primaries.ts'
const assignor = 'lib/group/assignor/primaries.ts'
const lives = 'lib/map/writer/partition-lives.ts'

/** Of copies that become primaries, and back: tests with a broker. */
export const rolePlants: readonly Plant[] = [
  plant(
    'a copy continues at the last commit, not after what it has',
    'lib/store-thread/recovery/resume.ts',
    'highestSourceOffset: last?.offset ?? -1,\n        afterOffset: after,',
    'highestSourceOffset: -1 + 0 * (last?.offset ?? 0),\n        afterOffset: Math.min(after, -1),',
  ),
  plant(
    'no fence at promotion',
    ownership,
    'if (!this.#config.fencing) return this.#take(partition)\n',
    'if (lanes > 0) return this.#take(partition)\n',
  ),
  plant(
    'callbacks see what is visible, not all that a predecessor wrote',
    primaries,
    '    await this.#context.flusher.flush()\n    this.#add(taken)\n',
    '    this.#add(taken)\n',
  ),
]

/** Of what the coordinator is sent. */
export const commitPlants: readonly Plant[] = [
  plant(
    'a commit does not state the generation of its member',
    'lib/kafka/offsets.ts',
    'groupGenerationId: committer.generation',
    'groupGenerationId: -1',
  ),
]

/** Of what a copy takes over, and leaves. */
export const copyPlants: readonly Plant[] = [
  plant(
    'a marker of before counts as the own one',
    'lib/store-thread/marker-wait.ts',
    'one.producerEpoch >= identity.producerEpoch',
    'one.producerEpoch >= 0',
  ),
  plant(
    'the trail is lost at a demotion',
    replica,
    "last: last && { ...last, key: last.key.toString('base64') }",
    'last: undefined && last',
  ),
  plant(
    'a copy with records of others becomes a primary without reading again',
    'lib/store-thread/replica-handover.ts',
    'this.#replicas.get(partition)?.isDisputed === false',
    'this.#replicas.get(partition) !== undefined',
  ),
]

/** Of partitions that leave the map while they are read. */
export const mapPlants: readonly Plant[] = [
  plant(
    'memory is free before readers have left it',
    lives,
    "if (isKnown) this.#announcements.need(this.#announcements.announce({ kind: 'gone', side, partitionIndex }))",
    "if (isKnown) this.#announcements.announce({ kind: 'gone', side, partitionIndex })",
  ),
  plant(
    'a partition leaves without what waits for it',
    lives,
    'this.#index.partitions.filter(({ removedAfter }) => removedAfter < call)',
    'this.#index.partitions.filter(({ removedAfter }) => removedAfter <= call)',
  ),
]

/** Of what a miss means. */
export const missPlants: readonly Plant[] = [
  plant(
    'a copy of which the plan does not say that it is complete answers that a key does not exist',
    'lib/store/miss-reason.ts',
    "(stats.gauge(partition, 'ready') !== 1 || group?.complete[partition] !== true)",
    "stats.gauge(partition, 'ready') !== 1",
  ),
]

/** Of who gets which partition, and how long that counts. */
export const groupPlants: readonly Plant[] = [
  {
    name: 'a partition moves to a member that has not read it',
    file: assignor,
    edits: [
      {
        find: 'return current !== target && isReady(standing, target, partition) ? -1 : current',
        replace: 'return current !== target && target >= 0 ? -1 : current',
      },
      {
        find: 'if (isReady(standing, target, partition) && fits(target)) return target',
        replace: 'if (target >= 0 && fits(target)) return target',
      },
    ],
  },
  plant(
    'a plan interrupts a promotion',
    assignor,
    'if (current < 0 || standing.holding(current, partition)!.isPromoting) return current',
    'if (current < 0) return current',
  ),
  {
    name: 'a member that does not sign gets partitions',
    file: 'lib/group/sealed.ts',
    edits: [
      {
        find: "  if (form === unsigned && token !== undefined) return { reason: 'not signed: it has no SERVER_TOKEN' }\n",
        replace: '',
      },
      { find: '  if (token !== undefined) {\n', replace: '  if (token !== undefined && form === signed) {\n' },
    ],
  },
  plant(
    'a lease does not end',
    'lib/group-protocol/group-notice.ts',
    "return Math.max(0, this.#get('leaseSentAtMs') + this.#get('sessionTimeoutMs') - nowMs)",
    "return this.#get('leaseSentAtMs') > 0 && nowMs > 0 ? this.#get('sessionTimeoutMs') : 0",
  ),
]

/** Of lookups that one instance asks of another. */
export const routingPlants: readonly Plant[] = [
  plant(
    'what an instance had counts more than a newer plan',
    'lib/routing/route-table.ts',
    'if (this.#source.own(partition).role === 0 && !isElsewhere) return answerHere',
    'if (this.#source.own(partition).role === 0 || (isOwn && isElsewhere)) return answerHere',
  ),
  plant(
    'a question of another instance is sent on',
    'lib/routing/index.ts',
    'this.requests = new GroupRequests({ store, feeds',
    'this.requests = new GroupRequests({ store: this.store as unknown as S, feeds',
  ),
  plant(
    'a miss counts although keys are where the partitioner does not put them',
    'lib/routing/routed-store.ts',
    'if (this.#group === undefined || !this.#table.mayHaveStrangers) throw notFound',
    'if (this.#group === undefined || this.#table.mayHaveStrangers || !this.#table.mayHaveStrangers) throw notFound',
  ),
  plant(
    'a request between instances counts that is not signed',
    'lib/routing/hop.ts',
    'const isUnsigned = timingSafeEqual(mac, noMac)\n',
    'const isUnsigned = timingSafeEqual(mac, noMac)\n    if (isUnsigned) return this.#token\n',
  ),
]
