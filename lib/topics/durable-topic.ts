/** Topics that keep acknowledged records when a broker is lost: the changelog and the dead-letter topic. */
import { messageOf } from '../errors.ts'
import type { KafkaClient } from '../kafka/client.ts'
import { hasBrokerCode, invalidConfig, policyViolation } from '../kafka/protocol/error-codes.ts'
import { createTopic, type NewTopic } from '../kafka/topics.ts'
import { loggerOf } from '../log/index.ts'

/** With fewer replicas, min.insync.replicas=2 would stop writes when one replica is lost. */
const replicasForTwoInSync = 3

/**
 * Returns settings that keep acknowledged records when brokers fail. With three replicas one of them may be lost: a
 * record is at two when it is acknowledged.
 */
export function durabilityOf(replicas: number): Record<string, string> {
  const inSync = replicas >= replicasForTwoInSync ? { 'min.insync.replicas': '2' } : {}
  return { ...inSync, 'unclean.leader.election.enable': 'false' }
}

/** @param topic beginning of the sentences: `Changelog topic orders-changelog` */
export function durabilityWarnings(
  topic: string,
  replicas: number,
  sourceReplicas: number,
  config: Map<string, string>,
): string[] {
  const warnings: string[] = []
  if (replicas < sourceReplicas) {
    warnings.push(
      `${topic} keeps ${replicas} ${replicas === 1 ? 'replica' : 'replicas'}, and the source ${sourceReplicas}: it can be lost although the source is not; ` +
        `give it ${sourceReplicas} (kafka-reassign-partitions)`,
    )
  }
  if (replicas >= replicasForTwoInSync && Number(config.get('min.insync.replicas') ?? 1) < 2) {
    warnings.push(
      `${topic} has min.insync.replicas=${config.get('min.insync.replicas') ?? 1}: an acknowledged record may be on one broker only, and is lost with it; ` +
        'set min.insync.replicas=2 on it',
    )
  }
  if (replicas > 1 && config.get('unclean.leader.election.enable') === 'true') {
    warnings.push(
      `${topic} has unclean.leader.election.enable=true: a replica that lacks records may become the leader, and these records are lost; ` +
        'set unclean.leader.election.enable=false on it',
    )
  }
  return warnings
}

/** Creates a topic. If a policy of the cluster refuses the durability settings, creates it with the cluster's own. */
export async function createDurable(client: KafkaClient, topic: NewTopic): Promise<void> {
  try {
    await client.retryForever(() => createTopic(client, topic))
  } catch (error) {
    if (!hasBrokerCode(error, policyViolation, invalidConfig)) throw error
    const durability = durabilityOf(topic.replicationFactor)
    const config = Object.fromEntries(Object.entries(topic.config).filter(([name]) => !(name in durability)))
    await client.retryForever(() => createTopic(client, { ...topic, config }))
    const message = '{fault}: created without {settings}, by the settings of the cluster'
    const settings = Object.keys(durability).join(' and ')
    loggerOf('store').warn(message, { fault: messageOf(error), settings })
  }
}
