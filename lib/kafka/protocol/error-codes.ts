/**
 * Error codes of the Kafka protocol that Latchkey's requests can receive, and what each requires of the caller. Source:
 * the table of error codes in the protocol guide (Apache Kafka 4.1). kafkajs knows only codes up to 88.
 */
import { LatchkeyError } from '../../errors.ts'

/** The topic does not exist, or not yet. */
export const unknownTopic = 3
export const leaderNotAvailable = 5
export const coordinatorLoading = 14
export const notCoordinator = 16
export const illegalGeneration = 22
export const inconsistentGroupProtocol = 23
export const unknownMember = 25
export const rebalanceInProgress = 27
export const topicAuthorizationFailed = 29
export const groupAuthorizationFailed = 30
export const clusterAuthorizationFailed = 31
export const invalidTimestamp = 32
export const topicAlreadyExists = 36
export const invalidPartitions = 37
export const invalidConfig = 40
export const policyViolation = 44
export const duplicateSequence = 46
export const invalidProducerEpoch = 47
export const invalidTransactionState = 48
export const invalidProducerIdMapping = 49
export const transactionalIdAuthorizationFailed = 53
export const memberIdRequired = 79
export const invalidRecord = 87
export const producerFenced = 90

const authorizationFailures: ReadonlySet<number> = new Set([
  topicAuthorizationFailed,
  groupAuthorizationFailed,
  clusterAuthorizationFailed,
  transactionalIdAuthorizationFailed,
])
/** LEADER_, BROKER_, REPLICA_, COORDINATOR_, OFFSET_ and ELIGIBLE_LEADERS_NOT_AVAILABLE. */
const notAvailable: ReadonlySet<number> = new Set([leaderNotAvailable, 8, 9, 15, 78, 83])

/**
 * `refresh`: the metadata is stale; refresh it and retry · `retry`: the same request may succeed later · `refuse`: it
 * will not succeed until the user changes something · `reset`, `fence`, `sequence`, `record`, `rejoin`: the caller
 * has its own rule.
 */
export type ErrorAction = 'retry' | 'refresh' | 'refuse' | 'reset' | 'fence' | 'sequence' | 'record' | 'rejoin'

const errorCodes: Record<number, readonly [name: string, action: ErrorAction]> = {
  [-1]: ['UNKNOWN_SERVER_ERROR', 'retry'],
  1: ['OFFSET_OUT_OF_RANGE', 'reset'],
  2: ['CORRUPT_MESSAGE', 'retry'],
  3: ['UNKNOWN_TOPIC_OR_PARTITION', 'refresh'],
  5: ['LEADER_NOT_AVAILABLE', 'refresh'],
  6: ['NOT_LEADER_OR_FOLLOWER', 'refresh'],
  7: ['REQUEST_TIMED_OUT', 'retry'],
  8: ['BROKER_NOT_AVAILABLE', 'refresh'],
  9: ['REPLICA_NOT_AVAILABLE', 'refresh'],
  10: ['MESSAGE_TOO_LARGE', 'record'],
  13: ['NETWORK_EXCEPTION', 'refresh'],
  14: ['COORDINATOR_LOAD_IN_PROGRESS', 'retry'],
  15: ['COORDINATOR_NOT_AVAILABLE', 'refresh'],
  16: ['NOT_COORDINATOR', 'refresh'],
  17: ['INVALID_TOPIC_EXCEPTION', 'refuse'],
  18: ['RECORD_LIST_TOO_LARGE', 'record'],
  19: ['NOT_ENOUGH_REPLICAS', 'retry'],
  20: ['NOT_ENOUGH_REPLICAS_AFTER_APPEND', 'retry'],
  22: ['ILLEGAL_GENERATION', 'rejoin'],
  23: ['INCONSISTENT_GROUP_PROTOCOL', 'refuse'],
  24: ['INVALID_GROUP_ID', 'refuse'],
  25: ['UNKNOWN_MEMBER_ID', 'rejoin'],
  26: ['INVALID_SESSION_TIMEOUT', 'refuse'],
  27: ['REBALANCE_IN_PROGRESS', 'rejoin'],
  29: ['TOPIC_AUTHORIZATION_FAILED', 'refuse'],
  30: ['GROUP_AUTHORIZATION_FAILED', 'refuse'],
  31: ['CLUSTER_AUTHORIZATION_FAILED', 'refuse'],
  32: ['INVALID_TIMESTAMP', 'record'],
  35: ['UNSUPPORTED_VERSION', 'refuse'],
  36: ['TOPIC_ALREADY_EXISTS', 'refuse'],
  37: ['INVALID_PARTITIONS', 'refuse'],
  38: ['INVALID_REPLICATION_FACTOR', 'refuse'],
  40: ['INVALID_CONFIG', 'refuse'],
  41: ['NOT_CONTROLLER', 'refresh'],
  42: ['INVALID_REQUEST', 'refuse'],
  44: ['POLICY_VIOLATION', 'refuse'],
  45: ['OUT_OF_ORDER_SEQUENCE_NUMBER', 'sequence'],
  46: ['DUPLICATE_SEQUENCE_NUMBER', 'sequence'],
  47: ['INVALID_PRODUCER_EPOCH', 'fence'],
  48: ['INVALID_TXN_STATE', 'retry'],
  49: ['INVALID_PRODUCER_ID_MAPPING', 'sequence'],
  51: ['CONCURRENT_TRANSACTIONS', 'retry'],
  53: ['TRANSACTIONAL_ID_AUTHORIZATION_FAILED', 'refuse'],
  55: ['OPERATION_NOT_ATTEMPTED', 'retry'],
  56: ['KAFKA_STORAGE_ERROR', 'refresh'],
  58: ['SASL_AUTHENTICATION_FAILED', 'refuse'],
  59: ['UNKNOWN_PRODUCER_ID', 'sequence'],
  67: ['DELEGATION_TOKEN_NOT_FOUND', 'refuse'],
  69: ['GROUP_ID_NOT_FOUND', 'refuse'],
  72: ['LISTENER_NOT_FOUND', 'refresh'],
  74: ['FENCED_LEADER_EPOCH', 'refresh'],
  75: ['UNKNOWN_LEADER_EPOCH', 'refresh'],
  76: ['UNSUPPORTED_COMPRESSION_TYPE', 'refuse'],
  78: ['OFFSET_NOT_AVAILABLE', 'retry'],
  79: ['MEMBER_ID_REQUIRED', 'rejoin'],
  81: ['GROUP_MAX_SIZE_REACHED', 'refuse'],
  83: ['ELIGIBLE_LEADERS_NOT_AVAILABLE', 'retry'],
  87: ['INVALID_RECORD', 'record'],
  88: ['UNSTABLE_OFFSET_COMMIT', 'retry'],
  89: ['THROTTLING_QUOTA_EXCEEDED', 'retry'],
  90: ['PRODUCER_FENCED', 'fence'],
  100: ['UNKNOWN_TOPIC_ID', 'refresh'],
  103: ['INCONSISTENT_TOPIC_ID', 'refresh'],
  119: ['REBOOTSTRAP_REQUIRED', 'refresh'],
  120: ['TRANSACTION_ABORTABLE', 'retry'],
}

/** Whether the user lacks a permission. */
export function isAuthorizationFailure(code: number): boolean {
  return authorizationFailures.has(code)
}

/** Whether a leader, broker, replica, coordinator or offset is not available now. */
export function isNotAvailable(code: number): boolean {
  return notAvailable.has(code)
}

/** UNKNOWN_TOPIC_OR_PARTITION, LEADER_NOT_AVAILABLE, NOT_LEADER_OR_FOLLOWER, and the three of coordinators. */
const settling: ReadonlySet<number> = new Set([3, 5, 6, 14, 15, 16])

/** Whether a leader or a coordinator moves or loads, or a new topic is not known to all brokers yet. */
export function isSettling(code: number): boolean {
  return settling.has(code)
}

export function errorName(code: number): string {
  return errorCodes[code]?.[0] ?? `error ${code}`
}

/**
 * Returns what an error code requires. Unknown codes count as final, so that they are reported and not retried forever.
 */
export function errorAction(code: number): ErrorAction {
  return errorCodes[code]?.[1] ?? 'refuse'
}

/** @param attempted e.g. `Produce to orders-changelog partition 3` */
export function brokerError(
  attempted: string,
  code: number,
  advice?: string,
  partitions: readonly number[] = [],
): LatchkeyError {
  const action = errorAction(code)
  const retriable = action === 'retry' || action === 'refresh'
  const kind = action === 'fence' ? 'fenced' : retriable ? 'broker_error' : 'broker_refused'
  const end = advice === undefined ? '' : `; ${advice}`
  return new LatchkeyError(kind, `${attempted}: the broker answered ${errorName(code)}${end}`, {
    details: { brokerCode: code, partitions },
  })
}

/** Whether an error is that of brokerError() for one of these codes. */
export function hasBrokerCode(error: unknown, ...codes: readonly number[]): boolean {
  return error instanceof LatchkeyError && codes.some((code) => error.details['brokerCode'] === code)
}
