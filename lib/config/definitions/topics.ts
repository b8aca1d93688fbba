/** Settings that name the cluster, the topics and the store. */
import * as v from 'valibot'
import { brokerList, topicLengthMax, topicName } from '../values.ts'

export const topicAllowed = `1 to ${topicLengthMax} characters of a-z, A-Z, 0-9, ".", "_" and "-", but not "." or ".."`

export const topicDefinitions = {
  sourceTopic: v.pipe(
    v.optional(topicName()),
    v.metadata({
      variable: 'SOURCE_TOPIC',
      meaning: 'Topic whose latest values are served; not needed with USE_REPLICA_ONLY.',
      brief: 'Topic whose latest values are served; required',
      allowed: topicAllowed,
    }),
  ),
  kafkaBrokers: v.pipe(
    brokerList(),
    v.metadata({
      variable: 'KAFKA_BROKERS',
      meaning: 'First brokers to connect to; the cluster names the others.',
      brief: 'First brokers, host:port; required',
      allowed: 'host:port, several separated by commas; port 9092 where left out, IPv6 addresses in brackets',
    }),
  ),
  storeId: v.pipe(
    v.optional(topicName()),
    v.metadata({
      variable: 'STORE_ID',
      meaning: 'Name of this store: in its URLs, its consumer group and its transactional ids.',
      brief: 'Name in URLs and of the group; else the source topic',
      allowed: topicAllowed,
      default: 'the name of the source topic',
    }),
  ),
  changelogTopic: v.pipe(
    v.optional(topicName()),
    v.metadata({
      variable: 'CHANGELOG_TOPIC',
      meaning: 'Topic that the store recovers from, reserved for it; created if missing.',
      brief: 'What it recovers from; else <STORE_ID>-changelog',
      allowed: topicAllowed,
      default: '<STORE_ID>-changelog',
    }),
  ),
}
