/** What a person can do about a condition of readiness: lib/http/README.md explains them. */
import type { Condition } from '../../store-protocol/status.ts'

const advice: Readonly<Record<Condition['name'], string>> = {
  not_failed: 'Correct the cause and start the process again. It does not recover by itself.',
  not_stopping: 'The process ends. Ask another instance, or wait for the next start.',
  recovered: 'Wait: the changelog is being read, unless the reason names a broker: then check that broker.',
  caught_up: 'Wait: the source is being read. READY_WHEN=recovered makes the store ready before that.',
  not_fenced: 'Another instance has the same partitions. Stop one of the two, then start this one again.',
  not_contested:
    'Find the other program that writes to the changelog, and stop it. Then start this instance again, with --rebuild if values are wrong.',
  not_halted:
    'Correct the format or the module, or set ON_BAD_RECORD=skip or dead-letter; then start the process again.',
  not_rebuilding: 'Wait: the source is read again from its start.',
  in_group:
    'Correct what the reason names. Without one, check the brokers: the group makes no plan without its coordinator.',
  routed:
    'Wait: the instances of the group divide the partitions. If it lasts, start more of them, or raise MEMORY_MAX.',
  filled: 'Wait: the instance reads what the group has given it.',
  reachable:
    'Set ADVERTISED_URL to an address where the other instances reach this one, and check firewalls between them.',
  running: 'Wait for the start, and look at the log.',
  memory: 'Raise MEMORY_MAX, delete keys, or divide the partitions among more instances.',
}

export function adviceFor({ name }: Condition): string {
  return advice[name]
}
