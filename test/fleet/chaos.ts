/** Faults of a fleet on three brokers. One broker at a time, so that what is acknowledged stays. */
import type { FleetInstance } from '../support/fleet/fleet-instance.ts'
import type { FleetRun } from '../support/fleet/fleet-run.ts'
import type { KafkaCluster } from '../support/kafka/index.ts'
import type { Row } from './row.ts'

const names = [
  'kill',
  'restart',
  'pause',
  'cut-from-kafka',
  'cut-from-peers',
  'silent-peers',
  'broker-kill',
  'broker-pause',
] as const

export class FleetChaos {
  readonly #run: FleetRun
  readonly #kafka: KafkaCluster
  readonly #row: Row

  constructor(run: FleetRun, kafka: KafkaCluster, row: Row) {
    this.#run = run
    this.#kafka = kafka
    this.#row = row
  }

  /** One fault, to its end; then all instances are ready again. */
  async strike(): Promise<void> {
    const { random } = this.#row
    const name = random.pick(names)
    const instance = random.pick(this.#run.fleet.instances)
    const ms = random.pick([1_000, 3_000, 9_000, 15_000])
    this.#row.say(`${name} ${name.startsWith('broker') ? '' : instance.name} ${ms} ms`)
    if (name === 'broker-kill' || name === 'broker-pause') await this.#broker(name, ms)
    else await this.#instance(name, instance, ms)
    await Promise.all(this.#run.fleet.instances.map((one) => one.ready()))
  }

  async #broker(name: 'broker-kill' | 'broker-pause', ms: number): Promise<void> {
    await this.#kafka.healthy()
    const broker = this.#row.random.pick(this.#kafka.brokers)
    if (name === 'broker-kill') await broker.kill()
    else broker.pause()
    await Bun.sleep(ms)
    await broker.revive()
  }

  async #instance(
    name: Exclude<(typeof names)[number], `broker-${string}`>,
    instance: FleetInstance,
    ms: number,
  ): Promise<void> {
    const { cuts } = this.#run
    switch (name) {
      case 'kill':
        await instance.kill()
        await Bun.sleep(ms)
        return instance.start()
      case 'restart':
        this.#row.expect((await instance.stop()) === 0, `${instance.name} ended with an exit code`)
        return instance.start()
      case 'pause':
        instance.pause()
        await Bun.sleep(ms)
        return instance.resume()
      case 'cut-from-kafka':
        cuts?.cut(instance.name)
        await Bun.sleep(ms)
        return cuts?.heal(instance.name)
      case 'cut-from-peers':
        instance.proxy?.refuse()
        instance.proxy?.cut()
        await Bun.sleep(ms)
        return instance.proxy?.accept()
      case 'silent-peers':
        instance.proxy?.hold()
        await Bun.sleep(ms)
        return instance.proxy?.release()
    }
  }
}
