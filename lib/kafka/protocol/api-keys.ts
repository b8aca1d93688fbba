/** API keys of the Kafka protocol that Latchkey's own requests have. Source: https://kafka.apache.org/protocol#protocol_api_keys */
export const apiKeys = {
  Produce: 0,
  Fetch: 1,
  Metadata: 3,
  FindCoordinator: 10,
  DescribeGroups: 15,
  ApiVersions: 18,
  InitProducerId: 22,
  OffsetForLeaderEpoch: 23,
  /** A request among KRaft controllers, which brokers do not offer to clients. */
  Vote: 52,
} as const
