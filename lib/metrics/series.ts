/**
 * What prom-client renders, without its own counting: a metric here is a function that is asked for its values when metrics are
 * scraped. The figures are kept elsewhere, in shared memory and plain arrays.
 */
import type { Metric, Registry } from 'prom-client'

export interface Sample {
  value: number
  labels?: Record<string, string | number>
  /** Name of this line where it is not the metric's own, as for the buckets of a histogram. */
  metricName?: string
}

export type SampleReader = () => number | Sample[]

/** Registers one metric. `name` without the prefix; a reader that gives a number has one series without labels. */
export class SeriesRegistry {
  readonly #registry: Registry
  readonly #prefix: string

  constructor(registry: Registry, prefix: string) {
    this.#registry = registry
    this.#prefix = prefix
  }

  counter(name: string, help: string, read: SampleReader): void {
    this.#register('counter', name, help, read)
  }

  gauge(name: string, help: string, read: SampleReader): void {
    this.#register('gauge', name, help, read)
  }

  /** @param read cumulative counts, one for each bound and one for all, and the sum of what was observed */
  histogram(
    name: string,
    help: string,
    bounds: readonly number[],
    read: () => { cumulative: number[]; sum: number },
  ): void {
    const full = this.#prefix + name
    this.#register('histogram', name, help, () => {
      const { cumulative, sum } = read()
      const buckets: Sample[] = cumulative.map((value, index) => {
        return { metricName: `${full}_bucket`, labels: { le: bounds[index] ?? '+Inf' }, value }
      })
      const count = cumulative.at(-1) ?? 0
      return [...buckets, { metricName: `${full}_sum`, value: sum }, { metricName: `${full}_count`, value: count }]
    })
  }

  #register(type: 'counter' | 'gauge' | 'histogram', plainName: string, help: string, read: SampleReader): void {
    const name = this.#prefix + plainName
    const get = async () => {
      const samples = read()
      const values = typeof samples === 'number' ? [{ value: samples }] : samples
      return { name, help, type, aggregator: 'sum', values }
    }
    // prom-client asks a registered object for nothing but its name and get().
    this.#registry.registerMetric({ name, get } as unknown as Metric)
  }
}
