/** A dashboard of Grafana. */

interface Query {
  readonly expr: string
  readonly legend: string
}

interface Panel {
  readonly title: string
  /** What is good, and what to do otherwise. */
  readonly description: string
  readonly unit: string
  readonly queries: readonly Query[]
  readonly isStat?: true
}

const selected = '{instance=~"$instance"}'

const rows: readonly (readonly [title: string, panels: readonly Panel[]])[] = [
  [
    'State',
    [
      {
        title: 'Ready',
        description: '1: every condition of readiness holds. GET /readyz?verbose has the reason otherwise.',
        unit: 'none',
        queries: [{ expr: `min by (instance) (latchkey_condition${selected})`, legend: '{{instance}}' }],
        isStat: true,
      },
      {
        title: 'Keys',
        description: 'Entries of all partitions.',
        unit: 'short',
        queries: [{ expr: `sum by (instance) (latchkey_partition_entries${selected})`, legend: '{{instance}}' }],
        isStat: true,
      },
      {
        title: 'Lag',
        description: 'Source records that are not consumed. It should return to 0.',
        unit: 'short',
        queries: [{ expr: `sum by (instance) (latchkey_partition_lag${selected})`, legend: '{{instance}}' }],
        isStat: true,
      },
      {
        title: 'Up since',
        description: 'Start of the process.',
        unit: 'dateTimeAsIso',
        queries: [{ expr: `latchkey_process_start_time_seconds${selected} * 1000`, legend: '{{instance}}' }],
        isStat: true,
      },
    ],
  ],
  [
    'Lookups',
    [
      {
        title: 'Lookups by outcome',
        description: 'found, not_modified and not_found are answers; the others are errors with a code of that name.',
        unit: 'reqps',
        queries: [
          {
            expr: `sum by (outcome) (rate(latchkey_lookups_total${selected}[$__rate_interval])) > 0`,
            legend: '{{outcome}}',
          },
        ],
      },
      {
        title: 'Time of a lookup',
        description: 'Inside the process, from the request to the response.',
        unit: 's',
        queries: [0.5, 0.99].map((share) => {
          const rate = `sum by (le) (rate(latchkey_lookup_seconds_bucket${selected}[$__rate_interval]))`
          return { expr: `histogram_quantile(${share}, ${rate})`, legend: `p${share * 100}` }
        }),
      },
      {
        title: 'Followers and waiting requests',
        description: 'Streams of GET /changes, and lookups that wait for a change.',
        unit: 'short',
        queries: [
          { expr: `latchkey_followers${selected}`, legend: 'followers {{instance}}' },
          { expr: `latchkey_waiting${selected}`, legend: 'waiting {{instance}}' },
        ],
      },
    ],
  ],
  [
    'Ingest',
    [
      {
        title: 'Records',
        description: 'From the source, and acknowledged by the changelog.',
        unit: 'short',
        queries: [
          {
            expr: `rate(latchkey_records_consumed_total${selected}[$__rate_interval])`,
            legend: 'consumed {{instance}}',
          },
          {
            expr: `rate(latchkey_changelog_records_total${selected}[$__rate_interval])`,
            legend: 'changelog {{instance}}',
          },
        ],
      },
      {
        title: 'Lag by partition',
        description: 'Source records that are not consumed.',
        unit: 'short',
        queries: [{ expr: `topk(10, latchkey_partition_lag${selected})`, legend: '{{instance}} {{partition}}' }],
      },
      {
        title: 'Skipped records by reason',
        description: 'Records that cannot be stored. The log names each.',
        unit: 'short',
        queries: [
          {
            expr: `sum by (reason) (increase(latchkey_records_skipped_total${selected}[5m])) > 0`,
            legend: '{{reason}}',
          },
        ],
      },
      {
        title: 'Failures',
        description: 'Requests to brokers that failed and are repeated, and records that another program wrote.',
        unit: 'short',
        queries: [
          { expr: `rate(latchkey_changelog_failures_total${selected}[5m])`, legend: 'writes {{instance}}' },
          { expr: `rate(latchkey_fetch_failures_total${selected}[5m])`, legend: 'fetches {{instance}}' },
          { expr: `rate(latchkey_commit_failures_total${selected}[5m])`, legend: 'commits {{instance}}' },
          { expr: `rate(latchkey_foreign_writes_total${selected}[5m])`, legend: 'foreign writes {{instance}}' },
        ],
      },
    ],
  ],
  [
    'Process',
    [
      {
        title: 'Memory',
        description: 'Resident memory, and in it the entries: live, and overwritten ones that are not cleaned.',
        unit: 'bytes',
        queries: [
          { expr: `latchkey_process_resident_memory_bytes${selected}`, legend: 'resident {{instance}}' },
          { expr: `sum by (instance) (latchkey_partition_live_bytes${selected})`, legend: 'live {{instance}}' },
          { expr: `sum by (instance) (latchkey_partition_dead_bytes${selected})`, legend: 'dead {{instance}}' },
        ],
      },
      {
        title: 'Processor time',
        description: '1 is one core.',
        unit: 'none',
        queries: [
          { expr: `rate(latchkey_process_cpu_seconds_total${selected}[$__rate_interval])`, legend: '{{instance}}' },
        ],
      },
      {
        title: 'Flushes',
        description: 'Mean time of a flush, which makes changes visible.',
        unit: 's',
        queries: [
          {
            expr: `rate(latchkey_flush_seconds_total${selected}[$__rate_interval]) / rate(latchkey_flushes_total${selected}[$__rate_interval])`,
            legend: '{{instance}}',
          },
        ],
      },
    ],
  ],
]

/** Grafana's grid has 24 columns. */
const gridColumns = 24
const [statHeight, graphHeight] = [4, 8]
const datasource = { type: 'prometheus', uid: '${datasource}' }

export const dashboard = `${JSON.stringify(
  {
    title: 'Latchkey',
    uid: 'latchkey',
    schemaVersion: 39,
    editable: true,
    refresh: '10s',
    time: { from: 'now-1h', to: 'now' },
    templating: {
      list: [
        { name: 'datasource', type: 'datasource', query: 'prometheus' },
        {
          name: 'instance',
          type: 'query',
          datasource,
          query: 'label_values(latchkey_build_info, instance)',
          refresh: 2,
          multi: true,
          includeAll: true,
          allValue: '.*',
          current: { text: 'All', value: '$__all' },
        },
      ],
    },
    panels: panelsOf(),
  },
  null,
  2,
)}\n`

function panelsOf(): object[] {
  const panels: object[] = []
  let y = 0
  for (const [title, items] of rows) {
    panels.push({
      id: panels.length + 1,
      type: 'row',
      title,
      collapsed: false,
      panels: [],
      gridPos: { x: 0, y, w: gridColumns, h: 1 },
    })
    y++
    const width = gridColumns / items.length
    const height = items.every(({ isStat }) => isStat) ? statHeight : graphHeight
    for (const [index, panel] of items.entries()) {
      panels.push({
        id: panels.length + 1,
        ...shown(panel),
        gridPos: { x: Math.floor(index * width), y, w: Math.floor(width), h: height },
      })
    }
    y += height
  }
  return panels
}

function shown({ title, description, unit, queries, isStat }: Panel): object {
  return {
    type: isStat ? 'stat' : 'timeseries',
    title,
    description,
    datasource,
    fieldConfig: { defaults: { unit, ...(!isStat && { min: 0 }) }, overrides: [] },
    targets: queries.map(({ expr, legend }, index) => {
      return { refId: String.fromCharCode('A'.charCodeAt(0) + index), datasource, expr, legendFormat: legend }
    }),
  }
}
