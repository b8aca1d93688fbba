/**
 * Settings for partitions: which ones an instance holds, as primary or replica, and how it fences off earlier
 * instances.
 */
import * as v from 'valibot'
import { partitionList, trueOrFalse } from '../values.ts'

const listAllowed = 'partition numbers and ranges, each partition once, such as 0-3,7'

export const partitionDefinitions = {
  partitions: v.pipe(
    v.optional(partitionList(), ''),
    v.metadata({
      variable: 'PARTITIONS',
      meaning: 'Partitions that this instance consumes and writes; empty for all, those added later included.',
      allowed: listAllowed,
      default: 'all',
    }),
  ),
  partitionsReplica: v.pipe(
    v.optional(partitionList(), ''),
    v.metadata({
      variable: 'PARTITIONS_REPLICA',
      meaning: 'Partitions that this instance copies from the changelog, in addition to its own.',
      allowed: listAllowed,
      default: 'none; with USE_REPLICA_ONLY all',
    }),
  ),
  useReplicaOnly: v.pipe(
    v.optional(trueOrFalse(), 'false'),
    v.metadata({
      variable: 'USE_REPLICA_ONLY',
      meaning:
        'Only copy the changelog, all of it or PARTITIONS_REPLICA: no source topic, no consumer group, no writes.',
      allowed: 'true or false',
      default: 'false',
      isSwitch: true,
    }),
  ),
  waitForReplicas: v.pipe(
    v.optional(trueOrFalse(), 'false'),
    v.metadata({
      variable: 'WAIT_FOR_REPLICAS',
      meaning:
        'Not ready, and no answers, before the replicas have reached the end that the changelog had at start. Without it, an instance with replicas only is ready at once.',
      allowed: 'true or false',
      default: 'false',
      isSwitch: true,
    }),
  ),
  useProcessingOnly: v.pipe(
    v.optional(trueOrFalse(), 'false'),
    v.metadata({
      variable: 'USE_PROCESSING_ONLY',
      meaning: 'Only write the changelog from the source: nothing in memory, lookups answer 409.',
      allowed: 'true or false',
      default: 'false',
      isSwitch: true,
    }),
  ),
  partitioner: v.pipe(
    v.optional(v.picklist(['murmur2', 'crc32', 'none']), 'murmur2'),
    v.metadata({
      variable: 'PARTITIONER',
      meaning:
        'How producers choose the partition of a key: murmur2 (Java, kafkajs), crc32 (default of librdkafka), none (unknown: a key of another instance is 404, not 421).',
      allowed: 'murmur2, crc32 or none',
      default: 'murmur2',
    }),
  ),
  fencing: v.pipe(
    v.optional(trueOrFalse(), 'true'),
    v.metadata({
      variable: 'FENCING',
      meaning: 'Refuse late writes of an earlier instance; false only where the cluster refuses the transactional id.',
      allowed: 'true or false',
      default: 'true',
      isSwitch: true,
    }),
  ),
}
