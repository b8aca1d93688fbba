/** A fleet with a writer and clients from its start to the verdict. */
import { readTopic } from '../fault-run/oracle.ts'
import { Recorder } from '../fault-run/recorder.ts'
import type { TcpProxy } from '../kafka/index.ts'
import type { Random } from '../random.ts'
import type { FleetHistory } from './fleet-history.ts'
import { fleetViolations } from './fleet-invariants.ts'
import { FleetLookups, type LookupOptions } from './fleet-lookups.ts'
import { FleetWriter, type WriterOptions } from './fleet-writer.ts'
import { Fleet, type FleetKafka, type FleetOptions } from './fleet.ts'
import { IngestWatch } from './ingest-watch.ts'
import { JoinWatch } from './join-watch.ts'
import { KafkaCuts } from './kafka-cuts.ts'
import { settled } from './settled.ts'

export interface FleetRunOptions extends FleetOptions {
  writer?: Partial<WriterOptions>
  lookups?: Partial<LookupOptions>
}

export class FleetRun {
  readonly fleet: Fleet
  readonly writer: FleetWriter
  readonly lookups: FleetLookups
  /** Of a proxied Kafka. */
  readonly recorder: Recorder | undefined
  readonly cuts: KafkaCuts | undefined
  #ingest: IngestWatch | undefined
  #joins: JoinWatch | undefined

  static async open(kafka: FleetKafka, random: Random, options: FleetRunOptions = {}): Promise<FleetRun> {
    return new FleetRun(await Fleet.open(kafka, options), random, options)
  }

  private constructor(fleet: Fleet, random: Random, options: FleetRunOptions) {
    const { topic, changelog } = fleet
    this.fleet = fleet
    this.writer = new FleetWriter(fleet.direct, topic, random, options.writer)
    this.lookups = new FleetLookups(topic, () => fleet.instances, this.writer, options.lookups)
    const proxies = options.isProxied ? proxiesOf(fleet.kafka) : []
    this.recorder = proxies.length > 0 ? new Recorder(proxies, changelog, topic) : undefined
    this.cuts = proxies.length > 0 ? new KafkaCuts(proxies) : undefined
  }

  /**
   * Loads the topic, starts so many instances, then clients, writer and the watch of the changelog.
   * @param isCold whether clients begin as soon as the instances are ready, not when all of them answer for what was loaded
   */
  async begin(instances: number, isCold = false): Promise<void> {
    await this.writer.load()
    await this.fleet.add(instances)
    if (isCold) this.lookups.start()
    await this.fleet.hasPrimaries()
    if (!isCold) {
      await settled(this.fleet, 1_000)
      this.lookups.start()
    }
    this.writer.start()
    this.#ingest = new IngestWatch(this.fleet.direct(), this.fleet.changelog, this.fleet.partitions)
    this.#joins = new JoinWatch(this.fleet.direct())
  }

  get ingest(): IngestWatch {
    if (this.#ingest === undefined) throw new Error('watch the changelog of a fleet: it has not begun')
    return this.#ingest
  }

  /** Milliseconds of joins and syncs of a group beside, which say how busy broker and machine are. */
  get joinsMs(): readonly number[] {
    return this.#joins?.tookMs ?? []
  }

  /** Ends writer and clients, waits until all instances agree with the source, and says what was wrong all the while. */
  async verdict(): Promise<string[]> {
    await this.writer.stop()
    const wrong: string[] = []
    let answers = new Map<string, string | null>()
    try {
      answers = await settled(this.fleet)
    } catch (error) {
      wrong.push(`I2 convergence: ${(error as Error).message}`)
    }
    await this.lookups.stop()
    await this.#ingest?.stop()
    await this.#joins?.stop()
    if (this.recorder) wrong.push(...fleetViolations(await this.#history(this.recorder, answers)))
    return wrong
  }

  async close(): Promise<void> {
    this.cuts?.close()
    await this.writer.close()
    await this.lookups.stop()
    await this.#ingest?.stop()
    await this.#joins?.stop()
    await this.fleet.close()
    this.recorder?.close()
  }

  async #history({ acknowledgements, commits }: Recorder, answers: FleetHistory['answers']): Promise<FleetHistory> {
    const direct = this.fleet.direct()
    return {
      source: (await readTopic(direct, this.fleet.topic)).records,
      changelog: await readTopic(direct, this.fleet.changelog),
      reads: this.lookups.history,
      acknowledgements,
      commits,
      instances: [],
      answers,
      epochMs: performance.timeOrigin,
    }
  }
}

function proxiesOf(kafka: FleetKafka): TcpProxy[] {
  if ('brokers' in kafka) return kafka.brokers.map(({ proxy }) => proxy)
  if (kafka.proxy === undefined) throw new Error('watch what a fleet writes: the broker has no proxy')
  return [kafka.proxy]
}
