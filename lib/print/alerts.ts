/** Alert rules of Prometheus. `npm run test:tools` has promtool check them. */
import { YAML } from 'bun'

interface Rule {
  readonly alert: string
  readonly expr: string
  /** How long it has to hold. */
  readonly for: string
  readonly severity: 'page' | 'ticket'
  /** What is the matter, and what to do. */
  readonly summary: string
  readonly description: string
}

const rules: readonly Rule[] = [
  {
    alert: 'LatchkeyNotReady',
    expr: 'min by (instance, name) (latchkey_condition) == 0',
    for: '10m',
    severity: 'page',
    summary: 'The store is not ready: {{ $labels.name }}',
    description: 'Clients that respect readiness do not reach it. GET /readyz?verbose has the reason in a sentence.',
  },
  {
    alert: 'LatchkeyFailed',
    expr: 'latchkey_state{state="failed"} == 1',
    for: '1m',
    severity: 'page',
    summary: 'The store has failed and answers no lookups',
    description:
      'Its log and GET /status-store/<id> have the reason. A process that only needs another start has ended.',
  },
  {
    alert: 'LatchkeyLagGrows',
    expr: 'sum by (instance) (latchkey_partition_lag) > 10000 and deriv(sum by (instance) (latchkey_partition_lag)[10m:1m]) > 0',
    for: '10m',
    severity: 'ticket',
    summary: 'Lookups show older and older values: the source has {{ $value }} records that are not consumed',
    description:
      'Ingest does not keep up with the source. Look at the processor time of the host, and at troubles of partitions.',
  },
  {
    alert: 'LatchkeyBrokerTrouble',
    expr: 'time() - min by (instance, partition, client) (latchkey_partition_trouble_since_seconds > 0) > 120',
    for: '1m',
    severity: 'ticket',
    summary: 'Partition {{ $labels.partition }} waits for a broker ({{ $labels.client }})',
    description: 'Lookups continue with what the store holds. GET /status-store/<id>?pretty names broker and cause.',
  },
  {
    alert: 'LatchkeyPartitionStopped',
    expr: 'latchkey_partition_state{state=~"fenced|halted|contested|failed"} == 1',
    for: '1m',
    severity: 'page',
    summary: 'Partition {{ $labels.partition }} is {{ $labels.state }}: its values do not change any more',
    description:
      'fenced: another instance has taken it. halted: a record cannot be stored. contested: another program writes to the changelog.',
  },
  {
    alert: 'LatchkeyRecordsSkipped',
    expr: 'sum by (instance, reason) (increase(latchkey_records_skipped_total[15m])) > 0',
    for: '0m',
    severity: 'ticket',
    summary: 'Records are not stored: {{ $labels.reason }}',
    description: 'The log names partition, offset and fault of each; ON_BAD_RECORD decides what happens to them.',
  },
  {
    alert: 'LatchkeyForeignWrites',
    expr: 'increase(latchkey_foreign_writes_total[15m]) > 0',
    for: '0m',
    severity: 'ticket',
    summary: 'Another program writes to the changelog',
    description: 'The store repairs what it can. Take the permission to write to the changelog from all but the store.',
  },
  {
    alert: 'LatchkeyMemoryFull',
    expr: 'latchkey_memory_full == 1',
    for: '1m',
    severity: 'page',
    summary: 'Memory is full: the store reads nothing more',
    description:
      'Lookups answer from what it holds, which grows older. Raise MEMORY_MAX, or delete keys from the source.',
  },
  {
    alert: 'LatchkeySnapshotOld',
    expr: 'max by (instance) (latchkey_partition_snapshot_age_seconds) > 3600',
    for: '10m',
    severity: 'ticket',
    summary: 'No snapshot for an hour: a restart has to read more of the changelog',
    description: 'The log has the reason, such as a full disk. GET /status-store/<id> has it for each partition.',
  },
  {
    alert: 'LatchkeyReadersExhausted',
    expr: 'sum by (instance) (increase(latchkey_lookups_total{outcome="readers_exhausted"}[5m])) > 0',
    for: '0m',
    severity: 'ticket',
    summary: 'Lookups are refused, since all readers are in use',
    description: 'Raise READER_POOL_SIZE, or HTTP_THREADS.',
  },
  {
    alert: 'LatchkeyGroupUnassigned',
    expr: 'latchkey_group_unassigned_partitions > 0',
    for: '1m',
    severity: 'page',
    summary: 'No instance of the group is primary of {{ $value }} partitions',
    description:
      'Their values do not change, or lookups of their keys are refused. GET /group names them. Start another instance, or raise MEMORY_MAX.',
  },
  {
    alert: 'LatchkeyGroupExcludes',
    expr: 'latchkey_group_excluded_members > 0',
    for: '2m',
    severity: 'ticket',
    summary: '{{ $value }} instances of the group get nothing',
    description: 'GET /group names them, and why: a setting or a token that differs, or too many instances.',
  },
  {
    alert: 'LatchkeyGroupWithoutLease',
    expr: 'latchkey_group_lease_seconds == 0 and latchkey_group_members > 0',
    for: '2m',
    severity: 'ticket',
    summary: 'The instance does not reach the coordinator of its group',
    description:
      'It answers with what it has. Another instance takes its partitions, unless that does not reach Kafka either.',
  },
  {
    alert: 'LatchkeyPeerUnreachable',
    expr: 'latchkey_peer_up == 0',
    for: '2m',
    severity: 'ticket',
    summary: 'Instance {{ $labels.peer }} is not reached',
    description:
      'GET /group has the reason. Lookups go to other copies. Correct ADVERTISED_URL there, or the network between.',
  },
  {
    alert: 'LatchkeyForwardsFail',
    expr: 'sum by (instance) (increase(latchkey_lookups_forwarded_total{result=~"refused|unreachable"}[5m])) > 0',
    for: '0m',
    severity: 'ticket',
    summary: 'Lookups fail, since no other instance that has the key answers it',
    description: 'GET /group shows who holds what, and who is reached.',
  },
  {
    alert: 'LatchkeyMisplacedKeys',
    expr: 'latchkey_misplaced_keys > 0',
    for: '10m',
    severity: 'ticket',
    summary: 'Keys are in other partitions than PARTITIONER says',
    description:
      'Nothing is lost: a key that is not found is asked for at all instances, which takes longer. Set PARTITIONER as the producers have it.',
  },
  {
    alert: 'LatchkeyGroupUnsteady',
    expr: 'sum by (instance) (increase(latchkey_group_rebalances_total[30m])) > 30',
    for: '5m',
    severity: 'ticket',
    summary: 'The group is assigned again and again',
    description:
      'The log of each instance has the reasons. Look for instances that end and start, and at the network to Kafka.',
  },
]

export const alerts = `${YAML.stringify(
  {
    groups: [
      {
        name: 'latchkey',
        rules: rules.map(({ alert, expr, for: holds, severity, summary, description }) => {
          return { alert, expr, for: holds, labels: { severity }, annotations: { summary, description } }
        }),
      },
    ],
  },
  null,
  2,
)}
`
