/** What the dashboard shows: panels in rows, each with its queries. */

interface Query {
  readonly expr: string
  readonly legend: string
}

export interface Panel {
  readonly title: string
  /** What is good, and what to do otherwise. */
  readonly description: string
  readonly unit: string
  readonly queries: readonly Query[]
  readonly isStat?: true
}

const selected = '{instance=~"$instance"}'

export const panelRows: readonly (readonly [title: string, panels: readonly Panel[]])[] = [
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
          { expr: `latchkey_resp_connections${selected}`, legend: 'Redis clients {{instance}}' },
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
    'Group',
    [
      {
        title: 'Instances',
        description: 'With ELASTIC: instances in the plan, as each of them has it. They should agree.',
        unit: 'none',
        queries: [
          { expr: `latchkey_group_members${selected}`, legend: '{{instance}}' },
          { expr: `latchkey_group_excluded_members${selected} > 0`, legend: 'excluded, says {{instance}}' },
        ],
      },
      {
        title: 'Partitions in memory',
        description: 'Of each instance, by state. No partition should be without an instance.',
        unit: 'none',
        queries: [
          { expr: `latchkey_partition_copies${selected}`, legend: '{{instance}} {{state}}' },
          { expr: `latchkey_group_unassigned_partitions${selected} > 0`, legend: 'unassigned, says {{instance}}' },
        ],
      },
      {
        title: 'Forwarded lookups by result',
        description:
          'Keys that other instances have. refused and unreachable are errors. A slow instance causes hedges.',
        unit: 'reqps',
        queries: [
          {
            expr: `sum by (result) (rate(latchkey_lookups_forwarded_total${selected}[$__rate_interval])) > 0`,
            legend: '{{result}}',
          },
          { expr: `sum(rate(latchkey_lookups_hedged_total${selected}[$__rate_interval])) > 0`, legend: 'hedged' },
        ],
      },
      {
        title: 'Reached, lease, plans, moves',
        description:
          'Others that each instance does not reach, seconds of its lease, and in five minutes its plans by reason, and partitions that became primaries here.',
        unit: 'none',
        queries: [
          { expr: `count by (instance) (latchkey_peer_up${selected} == 0)`, legend: 'not reached by {{instance}}' },
          { expr: `latchkey_group_lease_seconds${selected}`, legend: 'lease {{instance}}' },
          {
            expr: `sum by (reason) (increase(latchkey_group_rebalances_total${selected}[5m])) > 0`,
            legend: 'plans: {{reason}}',
          },
          { expr: `increase(latchkey_group_promotions_total${selected}[5m]) > 0`, legend: 'promoted {{instance}}' },
        ],
      },
    ],
  ],
  [
    'Process',
    [
      {
        title: 'Memory',
        description:
          'Resident memory and its bound MEMORY_MAX; in it the entries with their index: live, and overwritten.',
        unit: 'bytes',
        queries: [
          { expr: `latchkey_process_resident_memory_bytes${selected}`, legend: 'resident {{instance}}' },
          { expr: `latchkey_memory_max_bytes${selected} > 0`, legend: 'bound {{instance}}' },
          { expr: `latchkey_memory_used_bytes${selected}`, legend: 'entries {{instance}}' },
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
        title: 'Age of snapshots',
        description: 'With SNAPSHOT_DIR: time since the last snapshot of the partition that is furthest behind.',
        unit: 's',
        queries: [
          { expr: `max by (instance) (latchkey_partition_snapshot_age_seconds${selected})`, legend: '{{instance}}' },
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
