/**
 * Uses prom-client only to render text. A metric here is a function that returns its values at a scrape. Shared memory
 * and plain arrays hold the counters.
 */
import type { Metric, Registry } from 'prom-client'

export interface Sample {
  value: number
  labels?: Record<string, string | number>
  /** Name of this line if it differs from the metric's name, as for the buckets of a histogram. */
  metricName?: string
}

export type SampleReader = () => number | Sample[]

/**
 * Registers metrics. `name` is without the prefix. A reader that returns a number has a single series without labels.
 */
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

  /** @param read returns cumulative counts, one per bound and one for all, and the sum of the observations */
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
    // prom-client uses only the name and get() of a registered object.
    this.#registry.registerMetric({ name, get } as unknown as Metric)
  }
}
