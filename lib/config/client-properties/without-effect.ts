/** Properties of librdkafka that have no meaning here, by reason. They are accepted with a notice. */

const reasons: readonly (readonly [reason: string, ...names: string[]])[] = [
  [
    'it needs membership in a group, and the store assigns partitions itself',
    'max.poll.interval.ms',
    'partition.assignment.strategy',
    'group.instance.id',
    'group.protocol',
    'group.protocol.type',
    'group.remote.assignor',
    'coordinator.query.interval.ms',
    'rebalance_cb',
  ],
  [
    'LOG_LEVEL says what is logged',
    'debug',
    'log_level',
    'log.queue',
    'log.thread.name',
    'log.connection.close',
    'log_cb',
  ],
  [
    'figures are served at /metrics',
    'statistics.interval.ms',
    'stats_cb',
    'enable.metrics.push',
    'delivery.report.only.error',
    'dr_cb',
    'dr_msg_cb',
    'produce.offset.report',
    'enable.partition.eof',
  ],
  [
    'offsets are committed only once the changelog has acknowledged',
    'enable.auto.commit',
    'auto.commit.enable',
    'enable.auto.offset.store',
    'offset.store.method',
    'offset.store.path',
    'offset.store.sync.interval.ms',
    'offset_commit_cb',
  ],
  [
    'one response per broker waits while another is processed',
    'queued.min.messages',
    'queued.max.messages.kbytes',
    'fetch.queue.backoff.ms',
    'consume.callback.max.messages',
  ],
  [
    'what waits for an acknowledgement is bounded by 32 MiB',
    'queue.buffering.max.messages',
    'queue.buffering.max.kbytes',
    'queue.buffering.backpressure.threshold',
    'message.copy.max.bytes',
  ],
  [
    'a batch is tried until it is written; see retries',
    'message.timeout.ms',
    'delivery.timeout.ms',
    'enable.gapless.guarantee',
  ],
  [
    'a changelog record goes to the partition of its source record',
    'partitioner',
    'partitioner_cb',
    'sticky.partitioning.linger.ms',
  ],
  ['batches are written in order', 'queuing.strategy', 'msg_order_cmp'],
  [
    'retry.backoff.ms and retry.backoff.max.ms pace every retry',
    'reconnect.backoff.ms',
    'reconnect.backoff.max.ms',
    'reconnect.backoff.jitter.ms',
    'fetch.error.backoff.ms',
    'topic.metadata.refresh.fast.interval.ms',
    'topic.metadata.refresh.fast.cnt',
    'socket.max.fails',
  ],
  [
    'the store asks for its own topics only',
    'topic.metadata.refresh.sparse',
    'topic.metadata.propagation.max.ms',
    'topic.blacklist',
    'allow.auto.create.topics',
    'default_topic_conf',
  ],
  [
    'the first brokers are asked again when no known broker answers',
    'metadata.recovery.strategy',
    'metadata.recovery.rebootstrap.trigger.ms',
  ],
  [
    'versions are always negotiated',
    'api.version.request',
    'api.version.request.timeout.ms',
    'api.version.fallback.ms',
    'broker.version.fallback',
  ],
  [
    'it is left to the operating system',
    'socket.send.buffer.bytes',
    'socket.receive.buffer.bytes',
    'socket.blocking.max.ms',
    'broker.address.ttl',
    'client.dns.lookup',
    'connections.max.idle.ms',
    'ssl.ca.certificate.stores',
  ],
  [
    'it concerns the library librdkafka itself',
    'builtin.features',
    'enabled_events',
    'error_cb',
    'throttle_cb',
    'background_event_cb',
    'socket_cb',
    'connect_cb',
    'closesocket_cb',
    'open_cb',
    'resolve_cb',
    'opaque',
    'enable.random.seed',
    'internal.termination.signal',
    'plugin.library.paths',
    'interceptors',
    'consume_cb',
    'ssl.providers',
    'ssl.engine.location',
    'ssl.engine.id',
    'ssl_engine_callback_data',
    'oauthbearer_token_refresh_cb',
  ],
]

/** Property name to reason. */
export const withoutEffect: ReadonlyMap<string, string> = new Map(
  reasons.flatMap(([reason, ...names]) => names.map((name) => [name, reason] as const)),
)

/**
 * Properties that must not be ignored, because a user who sets one relies on it. Without it the store would be less
 * secure than intended, or could not connect at all.
 * Each entry is a name, or the beginning of names, and what to do instead.
 */
const refusedNames: readonly (readonly [start: string, instead: string])[] = [
  ['ssl.crl.location', 'revocation lists are not supported; use short-lived certificates'],
  ['ssl.keystore.', 'PKCS#12 is not supported; convert it to PEM for ssl.certificate.location and ssl.key.location'],
  ['ssl.certificate.verify_cb', 'callbacks are not supported; use ssl.ca.location'],
  ['ssl_', 'use ssl.ca.location, ssl.certificate.location and ssl.key.location'],
  ['sasl.kerberos.', 'GSSAPI is not supported; use PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 or client certificates'],
  ['sasl.oauthbearer.', 'OAUTHBEARER is not supported; use PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 or client certificates'],
  ['enable.sasl.oauthbearer.unsecure.jwt', 'OAUTHBEARER is not supported; use PLAIN or SCRAM'],
  ['https.ca.', 'OAUTHBEARER is not supported; for the brokers use ssl.ca.location'],
]

/**
 * Returns what to do instead of a property that is not supported and must not be ignored; undefined for other
 * properties.
 */
export function refusalOf(name: string): string | undefined {
  return refusedNames.find(([start]) =>
    start.endsWith('.') || start.endsWith('_') ? name.startsWith(start) : name === start,
  )?.[1]
}
