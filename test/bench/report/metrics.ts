/** What is measured: its words, its unit, in the order of the table. */
export interface Metric {
  title: string
  unit: 'records/s' | '/s' | 'ms' | 'MB' | 'µs' | 'bytes' | 'ratio' | 'cores' | 'MB/s'
}

export const metrics = {
  ingest: { title: 'ingest, changelog acknowledged', unit: 'records/s' },
  ingestProcessor: { title: "ingest, the contender's processor time a record", unit: 'µs' },
  recovery: { title: 'recovery, start of the process to its first answer', unit: 'records/s' },
  recoveryOwn: { title: 'recovery alone, as the contender times it', unit: 'records/s' },
  lookups: { title: 'lookups', unit: '/s' },
  lookupProcessor: { title: "lookups, the contender's processor time each", unit: 'µs' },
  loadShare: { title: 'lookups, what the load itself took', unit: 'cores' },
  idleP50: { title: 'lookups p50', unit: 'ms' },
  idleP99: { title: 'lookups p99', unit: 'ms' },
  besideLookups: { title: 'lookups beside full ingest', unit: '/s' },
  besideP50: { title: 'lookups p50 beside full ingest', unit: 'ms' },
  besideP99: { title: 'lookups p99 beside full ingest', unit: 'ms' },
  besideRatio: { title: 'p99 beside full ingest to its own idle p99', unit: 'ratio' },
  besideMax: { title: 'longest lookup beside full ingest', unit: 'ms' },
  besideIngest: { title: 'ingest beside those lookups', unit: 'records/s' },
  memory: { title: 'resident memory', unit: 'MB' },
  memoryEntry: { title: 'resident memory an entry', unit: 'bytes' },
  memoryEntry1: { title: 'memory an entry less the empty store, 1,000,000 of 181 bytes', unit: 'bytes' },
  memoryEntry5: { title: '… 5,000,000', unit: 'bytes' },
  memoryEntry10: { title: '… 10,000,000', unit: 'bytes' },
  firstAnswer: { title: 'time to first answer, empty store', unit: 'ms' },
  memoryLarge: { title: 'resident memory, the large store', unit: 'MB' },
  recoveryLarge: { title: 'recovery, the large store', unit: 'records/s' },
  freshDefaultP50: { title: 'freshness p50, default flush', unit: 'ms' },
  freshDefaultP99: { title: 'freshness p99, default flush', unit: 'ms' },
  freshFastestP50: { title: 'freshness p50, fastest flush', unit: 'ms' },
  freshFastestP99: { title: 'freshness p99, fastest flush', unit: 'ms' },
  scaleIngest: { title: 'cost of an ingested record, ten times the entries', unit: 'ratio' },
  scaleRecovery: { title: 'cost of a recovered record, ten times the entries', unit: 'ratio' },
  scaleLookup: { title: 'cost of a lookup, ten times the entries', unit: 'ratio' },
  scaleMemory: { title: 'memory an entry, ten times the entries', unit: 'ratio' },
  growthPause: { title: 'longest pause of lookups while tables grow', unit: 'ms' },
  growthOwnPause: { title: '… without what the machine stood still, tables growing', unit: 'ms' },
  cleaningPause: { title: 'longest pause of lookups while segments are cleaned', unit: 'ms' },
  cleaningOwnPause: { title: '… without what the machine stood still, cleaning', unit: 'ms' },
  pacedPause: { title: 'longest pause while segments are cleaned, 100,000 updates a second', unit: 'ms' },
  pacedOwnPause: { title: '… without what the machine stood still, 100,000 updates a second', unit: 'ms' },
  standstill: { title: 'longest time that the machine stood still meanwhile', unit: 'ms' },
  restart4: { title: 'restart, 200,000 entries in 4 partitions: first answer', unit: 'ms' },
  restart64: { title: 'restart, the same in 64 partitions', unit: 'ms' },
  restart500: { title: 'restart, the same in 500 partitions', unit: 'ms' },
  restartRatio: { title: 'restart, 500 partitions to 4', unit: 'ratio' },
  restartProcessor500: { title: 'restart, 500 partitions: processor time', unit: 'ms' },
  restartProcessorRatio: { title: 'restart, processor time of 500 partitions to 4', unit: 'ratio' },
  snapshotRestart: { title: 'restart after kill -9, from a snapshot to from the changelog', unit: 'ratio' },
  snapshotRestartLarge: { title: '… with ten times the entries', unit: 'ratio' },
  writingP99: {
    title: 'lookups p99 beside ingest, while a full snapshot of ten times the entries is written',
    unit: 'ms',
  },
  writingP99Ratio: { title: '… to that without a snapshot', unit: 'ratio' },
  writingIngest: { title: 'ingest beside lookups, while that snapshot is written', unit: 'records/s' },
  writingIngestRatio: { title: '… to that without a snapshot, ingest', unit: 'ratio' },
  writingMemoryRatio: { title: 'resident memory while that snapshot is written, to that without', unit: 'ratio' },
  endlessIngest: { title: 'endless updates of few keys', unit: 'records/s' },
  endlessMemory: { title: 'endless updates, resident memory at the end', unit: 'MB' },
  endlessGrowth: { title: 'endless updates, memory at the end to that after the settling', unit: 'ratio' },
  readsSingle: { title: 'reads, one key a request: processor time a key', unit: 'µs' },
  readsKeys: { title: 'reads, 100 keys in the query: processor time a key', unit: 'µs' },
  readsQuery: { title: 'reads, 100 keys in the body: processor time a key', unit: 'µs' },
  readsKeysGain: { title: 'reads, keys for the processor time of a lookup, in the query', unit: 'ratio' },
  readsQueryGain: { title: 'reads, keys for the processor time of a lookup, in the body', unit: 'ratio' },
  dumpEntry: { title: 'dump alone: processor time an entry', unit: 'µs' },
  dumpRatio: { title: 'dump alone: processor time an entry to that of a lookup', unit: 'ratio' },
  dumpShare: { title: 'dump beside lookups: its share of their thread', unit: 'ratio' },
  dumpBesideRate: { title: 'dump beside lookups: entries', unit: '/s' },
  dumpIdleP99: { title: 'lookups p99 before that dump', unit: 'ms' },
  dumpP99: { title: 'lookups p99 beside a dump', unit: 'ms' },
  dumpIngestShare: { title: 'dump beside lookups and ingest: its share of their thread', unit: 'ratio' },
  dumpIngestRate: { title: 'dump beside lookups and ingest: entries', unit: '/s' },
  dumpIngest: { title: 'ingest beside lookups and a dump', unit: 'records/s' },
  dumpIngestIdleP99: { title: 'lookups p99 beside ingest, before that dump', unit: 'ms' },
  dumpIngestP99: { title: 'lookups p99 beside ingest and a dump', unit: 'ms' },
  oneWake: { title: 'one waiting request: a record to its answer, p99', unit: 'ms' },
  followersMemory: { title: '10,000 followers of a key each: resident memory', unit: 'MB' },
  followersIdle: { title: '10,000 followers, while nothing changes: processor time', unit: 'cores' },
  followersWake: { title: '10,000 followers: a record to the one that follows it, p99', unit: 'ms' },
  followersWakeRatio: { title: '… to that of one waiting request', unit: 'ratio' },
  waitersMemory: { title: '10,000 waiting requests: resident memory', unit: 'MB' },
  waitersIdle: { title: '10,000 waiting requests, while nothing changes: processor time', unit: 'cores' },
  waitersWake: { title: '10,000 waiting requests: a record to the one that waits for it, p99', unit: 'ms' },
  waitersWakeRatio: { title: '… to that of one waiting request alone', unit: 'ratio' },
  groupLookups: { title: 'lookups, the only member of a group to no group', unit: 'ratio' },
  groupLookupsProcessor: { title: '… by processor time, lookups', unit: 'ratio' },
  groupIngest: { title: 'ingest, the only member of a group to no group', unit: 'ratio' },
  groupIngestProcessor: { title: '… by processor time, ingest', unit: 'ratio' },
  groupRecovery: { title: 'recovery, first record until ready, the only member of a group to no group', unit: 'ratio' },
  groupRecoveryProcessor: { title: '… by processor time, recovery', unit: 'ratio' },
  groupRestart: { title: '… a restart is longer by, with the wait for other members', unit: 'ms' },
  forwardedCost: { title: 'a forwarded lookup, processor time of both instances to a local one', unit: 'ratio' },
  forwardedSignedCost: { title: '… with SERVER_TOKEN', unit: 'ratio' },
  respSingle: { title: 'Redis protocol, GET one at a time: processor time a key', unit: 'µs' },
  respPipelined: { title: 'Redis protocol, 16 GETs pipelined: processor time a key', unit: 'µs' },
  respMany: { title: 'Redis protocol, MGET of 100 keys: processor time a key', unit: 'µs' },
} as const satisfies Record<string, Metric>

export type MetricName = keyof typeof metrics

/** A figure as people read it. */
export function textOf(value: number, unit: Metric['unit']): string {
  if (unit === 'records/s' || unit === '/s' || unit === 'bytes') {
    return Math.round(threeDigits(value)).toLocaleString('en')
  }
  if (value >= 100) return Math.round(value).toLocaleString('en')
  return value.toFixed(value >= 10 ? 1 : 2)
}

function threeDigits(value: number): number {
  if (value < 1000) return value
  return Number(value.toPrecision(3))
}
