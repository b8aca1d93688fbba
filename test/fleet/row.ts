/** What a row is given, and what it says. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { loadavg } from 'node:os'
import { join } from 'node:path'
import { FleetRun, type FleetRunOptions } from '../support/fleet/fleet-run.ts'
import type { FleetKafka } from '../support/fleet/fleet.ts'
import { percentile } from '../support/fleet/lookup-tally.ts'
import { Random } from '../support/random.ts'
import type { Options } from './options.ts'

export class Row {
  readonly options: Options
  readonly random: Random
  /** What is not as it should be. */
  readonly missed: string[] = []

  constructor(options: Options) {
    this.options = options
    this.random = new Random(options.seed)
  }

  /** A run with the size that the command line says. */
  async open(kafka: FleetKafka, instances: number, options: FleetRunOptions = {}): Promise<FleetRun> {
    const { keys, partitions, rate, writes, settings, executable, isManual } = this.options
    return FleetRun.open(kafka, this.random, {
      partitions,
      executable,
      ...(isManual && { manual: instances }),
      ...options,
      settings: { ...settings, ...options.settings },
      writer: { lasting: keys, passing: Math.ceil(keys / 20), rate: writes, ...options.writer },
      lookups: { rate, follows: settings['ROUTING'] === 'none', ...options.lookups },
    })
  }

  /** With the load of the machine: without it no time says anything. */
  say(line: string): void {
    console.log(`  ${new Date().toISOString().slice(11, 23)} load ${loadavg()[0]!.toFixed(1).padStart(4)}  ${line}`)
  }

  figure(name: string, value: string): void {
    console.log(`${name.padEnd(34)} ${value}`)
  }

  /** Median, p99 and maximum. */
  figures(name: string, values: readonly number[]): void {
    const at = (share: number) => `${Math.round(percentile(values, share) ?? 0)}`
    this.figure(name, `${values.length} times: median ${at(0.5)} ms, p99 ${at(0.99)} ms, most ${at(1)} ms`)
  }

  expect(holds: boolean, what: string): void {
    if (!holds) this.missed.push(what)
  }

  /** The end of a row: verdict, tally, and the output of instances where that is asked for. */
  async judge(run: FleetRun, folder = ''): Promise<void> {
    const before = this.missed.length
    this.figures('a join and sync beside', run.joinsMs)
    for (const violation of await run.verdict()) this.missed.push(violation)
    await this.count(run)
    for (const missed of this.missed.slice(before)) console.log(`MISSED ${missed}`)
    this.keep(run, folder)
  }

  /** What became of lookups. */
  async count(run: FleetRun): Promise<void> {
    const { tally } = run.lookups
    console.log(tally.summary())
    this.figure('records', String(run.writer.written))
    const group = (await run.fleet.running[0]?.status())?.group
    if (group) this.figure('generations of the group', String(group.generation))
    this.expect(tally.bad === 0, `${tally.bad} lookups were not answered as they should be`)
  }

  keep(run: FleetRun, folder = ''): void {
    if (this.options.keep === undefined) return
    const keep = join(this.options.keep, folder)
    mkdirSync(keep, { recursive: true })
    for (const { name, outputs, process, lives } of run.fleet.instances) {
      const now = lives.length > outputs.length ? [`${process.stdout}\n${process.stderr}`] : []
      writeFileSync(join(keep, name), [...outputs, ...now].join('\n--- started again ---\n'))
    }
    writeFileSync(join(keep, 'missed'), `${this.missed.join('\n\n')}\n`)
    writeFileSync(join(keep, 'failures'), run.lookups.tally.failures.map((one) => JSON.stringify(one)).join('\n'))
  }
}
