import { type MetricName, metrics } from './metrics.ts'
import { type Spread, spreadOf } from './statistics.ts'

/** The name that limits stand under, beside the contenders. */
export const limit = 'limit'

export interface Sample {
  metric: MetricName
  contender: string
  value: number
}

/** Every value that was measured, by metric and contender. */
export class Results {
  readonly samples: Sample[] = []

  add(contender: string, values: Partial<Record<MetricName, number | undefined>>): void {
    for (const [metric, value] of Object.entries(values)) {
      if (value !== undefined) this.samples.push({ metric: metric as MetricName, contender, value })
    }
  }

  spread(metric: MetricName, contender: string): Spread | undefined {
    const values = this.samples.filter((one) => one.metric === metric && one.contender === contender)
    return values.length === 0 ? undefined : spreadOf(values.map(({ value }) => value))
  }

  /** Median to median; undefined where either was not measured. */
  ratio(metric: MetricName, contender: string, other: string): number | undefined {
    const one = this.spread(metric, contender)
    const two = this.spread(metric, other)
    return one && two && one.median / two.median
  }

  /** In the order of the table. */
  measured(): MetricName[] {
    const names = Object.keys(metrics) as MetricName[]
    return names.filter((metric) => this.samples.some((sample) => sample.metric === metric))
  }
}
