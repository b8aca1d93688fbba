/** Restarts after kill -9 of peers that keep a state on the disk: Kafka Streams with RocksDB, redis-server with its RDB file. */
import { rmSync } from 'node:fs'
import { temporaryFolder } from '../../support/process/temporary-folder.ts'
import { saveRedis, startRedisIn } from '../contenders/redis.ts'
import { type Bench, dropTopics, filledTopic, newStore, say, verify } from './bench.ts'
import { ingestWhole } from './stages.ts'

/** Milliseconds, round by round. */
export interface Starts {
  clock: number[]
  processor: number[]
}

/** Undefined where Kafka Streams is not among the contenders. */
export async function streamsRestarts(bench: Bench, records: number): Promise<Starts | undefined> {
  const contender = bench.contenders.find(({ name }) => name === 'Kafka Streams')
  if (!contender) return undefined
  const source = await filledTopic(bench, 'restart', { records })
  const stateFolder = temporaryFolder('bench-state')
  const settings = { ...(await newStore(bench, contender, source, { records })), stateFolder }
  const starts: Starts = { clock: [], processor: [] }
  try {
    await ingestWhole(bench, contender, settings, records)
    for (let round = 0; round < bench.options.rounds; round++) {
      const store = await contender.start(settings)
      try {
        note(starts, 'Kafka Streams', await store.answers(), store.processorMs())
        await verify(store, settings)
      } finally {
        await store.kill()
      }
    }
  } finally {
    rmSync(stateFolder, { recursive: true, force: true })
    await dropTopics(bench, [source, contender.changelogOf(settings.id)])
  }
  return starts
}

/** Undefined where redis-server is not installed. */
export async function redisRestarts({ options }: Bench, records: number): Promise<Starts | undefined> {
  if (Bun.which('redis-server') === null) return undefined
  const folder = temporaryFolder('bench-rdb')
  const starts: Starts = { clock: [], processor: [] }
  try {
    await saveRedis(folder, records, options.valueBytes, (id) => `user-${id}`)
    for (let round = 0; round < options.rounds; round++) {
      await using server = await startRedisIn(folder)
      note(starts, 'Redis', await server.answers(`user-${records - 1}`), server.processorMs())
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
  return starts
}

export function note(starts: Starts, name: string, clock: number, processor: number): void {
  say(`${name}: first answer after ${Math.round(clock)} ms, ${Math.round(processor)} ms of a processor`)
  starts.clock.push(clock)
  starts.processor.push(processor)
}
