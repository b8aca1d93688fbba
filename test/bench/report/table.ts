/** The results as a table in Markdown: a row a metric, a column a contender, then ratios and what is wanted. */
import { type Metric, type MetricName, metrics, textOf } from './metrics.ts'
import { limit, type Results } from './results.ts'
import type { Spread } from './statistics.ts'
import { subject, textOfWanted, wanted } from './wanted.ts'

export function tableOf(results: Results, contenders: readonly string[]): string {
  const peers = contenders.filter((name) => name !== subject)
  const columns = contenders.some((name) => name === subject) ? [...contenders, limit] : contenders
  const ratios = contenders.length === peers.length ? [] : peers
  const heads = ['What', ...columns, ...ratios.map((name) => `to ${name}`), 'wanted']
  const rows = results
    .measured()
    .map((metric) => [
      `${metrics[metric].title}, ${metrics[metric].unit}`,
      ...columns.map((name) => cellOf(results, metric, name)),
      ...ratios.map((name) => ratioOf(results, metric, name)),
      wantedOf(metric),
    ])
  return aligned([heads, ...rows])
}

function cellOf(results: Results, metric: MetricName, contender: string): string {
  const spread = results.spread(metric, contender)
  return spread ? cellOfSpread(spread, metrics[metric].unit) : ''
}

/** `median (least to most)`, the median alone where it was measured once. */
export function cellOfSpread({ median, min, max, count }: Spread, unit: Metric['unit']): string {
  return count === 1 ? textOf(median, unit) : `${textOf(median, unit)} (${textOf(min, unit)} to ${textOf(max, unit)})`
}

function ratioOf(results: Results, metric: MetricName, other: string): string {
  return results.ratio(metric, subject, other)?.toFixed(2) ?? ''
}

function wantedOf(metric: MetricName): string {
  return wanted
    .filter((one) => one.metric === metric)
    .map(textOfWanted)
    .join(', ')
}

export function aligned(rows: readonly string[][]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => (row[column] ?? '').length)))
  const lines = rows.map((row) => `| ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`)
  const rule = `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`
  return [lines[0], rule, ...lines.slice(1)].join('\n')
}
