/**
 * All error codes of Latchkey. One table gives each code its title, its HTTP status and whether a retry helps, so
 * neither the code that throws nor the code that answers decides it again.
 */
export const errorTable = {
  // Responses to HTTP requests
  unauthorized: { title: 'Token missing or wrong', status: 401, retriable: false },
  invalid_key: { title: 'Invalid key', status: 400, retriable: false },
  invalid_host: { title: 'Invalid Host', status: 400, retriable: false },
  cursor_expired: { title: 'Cursor expired', status: 410, retriable: false },
  walks_exhausted: { title: 'Too many walks wait', status: 503, retriable: true },
  too_many_keys: { title: 'Too many keys', status: 413, retriable: false },
  body_timed_out: { title: 'Body did not arrive in time', status: 408, retriable: true },
  unsupported_media_type: { title: 'Content-Type not supported', status: 415, retriable: false },
  body_too_large: { title: 'Body too large', status: 413, retriable: false },
  head_too_large: { title: 'Request line and headers too large', status: 431, retriable: false },
  malformed_request: { title: 'Malformed request', status: 400, retriable: false },
  invalid_value: { title: 'Invalid value', status: 400, retriable: false },
  invalid_parameter: { title: 'Invalid parameter', status: 400, retriable: false },
  not_acceptable: { title: 'Representation not available', status: 406, retriable: false },
  key_not_found: { title: 'Key not found', status: 404, retriable: false },
  store_not_found: { title: 'Store not found', status: 404, retriable: false },
  partition_not_held: { title: 'Partition not held here', status: 421, retriable: false },
  host_not_allowed: { title: 'Host not allowed', status: 421, retriable: false },
  processing_only: { title: 'This instance only processes', status: 409, retriable: false },
  owner_unreachable: { title: 'No instance that holds the key answers', status: 503, retriable: true },
  partition_unassigned: { title: 'No instance holds the partition', status: 503, retriable: true },
  rebuilding: { title: 'Partition is being rebuilt', status: 503, retriable: true },
  replica_recovering: { title: 'Replica is recovering', status: 503, retriable: true },
  too_stale: { title: 'Replica is too far behind', status: 503, retriable: true },
  not_yet_visible: { title: 'Not yet visible', status: 503, retriable: true },
  waits_exhausted: { title: 'Too many requests wait', status: 503, retriable: true },
  path_not_found: { title: 'Path not found', status: 404, retriable: false },
  method_unknown: { title: 'Method not known', status: 501, retriable: false },
  version_not_supported: { title: 'Version of HTTP not supported', status: 505, retriable: false },
  method_not_allowed: { title: 'Method not allowed', status: 405, retriable: false },
  recovering: { title: 'Store is recovering', status: 503, retriable: true },
  not_ready: { title: 'Store is not ready', status: 503, retriable: true },
  store_failed: { title: 'Store has failed', status: 503, retriable: false },
  stopping: { title: 'Store is stopping', status: 503, retriable: true },
  internal_port: { title: 'Internal port', status: 403, retriable: false },
  cross_site_refused: { title: 'Request from another site refused', status: 403, retriable: false },
  answer_full: { title: 'Answer is full', status: 413, retriable: false },
  readers_exhausted: { title: 'All readers are taken', status: 503, retriable: true },
  schema_unavailable: { title: 'Schema not available', status: 503, retriable: true },
  value_undecodable: { title: 'Stored value cannot be decoded', status: 500, retriable: false },
  writes_exhausted: { title: 'Too many writes wait', status: 503, retriable: true },
  flush_timed_out: { title: 'Flush timed out', status: 503, retriable: true },
  internal: { title: 'Internal error', status: 500, retriable: false },
  // Start
  invalid_settings: { title: 'Invalid settings', status: 500, retriable: false },
  listen_failed: { title: 'Listening failed', status: 500, retriable: false },
  topics_unfit: { title: 'Topics do not fit', status: 500, retriable: false },
  // Kafka
  broker_unreachable: { title: 'Broker unreachable', status: 503, retriable: true },
  request_timed_out: { title: 'Kafka request timed out', status: 503, retriable: true },
  authentication_failed: { title: 'Kafka authentication failed', status: 500, retriable: false },
  broker_error: { title: 'Kafka answered with an error', status: 503, retriable: true },
  broker_refused: { title: 'Kafka refused the request', status: 500, retriable: false },
  response_malformed: { title: 'Kafka response malformed', status: 500, retriable: true },
  record_batch_corrupt: { title: 'Record batch corrupt', status: 500, retriable: false },
  fenced: { title: 'Fenced by another instance', status: 503, retriable: false },
  // Memory
  entry_too_large: { title: 'Entry too large', status: 500, retriable: false },
  memory_full: { title: 'Memory is full', status: 503, retriable: false },
  memory_exhausted: { title: 'Address space exhausted', status: 500, retriable: false },
} as const satisfies Record<string, { title: string; status: number; retriable: boolean }>

export type ErrorCode = keyof typeof errorTable

/**
 * Errors whose message is written for the client. For all other errors the client gets the title, and the log gets the
 * message.
 */
export const answeredCodes: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'unauthorized',
  'invalid_key',
  'invalid_host',
  'cursor_expired',
  'walks_exhausted',
  'too_many_keys',
  'body_timed_out',
  'unsupported_media_type',
  'body_too_large',
  'head_too_large',
  'malformed_request',
  'invalid_parameter',
  'not_acceptable',
  'key_not_found',
  'partition_not_held',
  'host_not_allowed',
  'processing_only',
  'owner_unreachable',
  'partition_unassigned',
  'rebuilding',
  'replica_recovering',
  'not_yet_visible',
  'waits_exhausted',
  'too_stale',
  'store_not_found',
  'path_not_found',
  'method_unknown',
  'version_not_supported',
  'method_not_allowed',
  'cross_site_refused',
  'internal_port',
  'recovering',
  'not_ready',
  'store_failed',
  'stopping',
  'readers_exhausted',
  'schema_unavailable',
  'value_undecodable',
  'flush_timed_out',
])

/** Of these, errors that are logged as well, for the operator of the store. */
export const loggedCodes: ReadonlySet<ErrorCode> = new Set<ErrorCode>(['value_undecodable'])

export interface LatchkeyErrorOptions {
  cause?: unknown
  /** Members for a problem+json body or a log line. No secrets and no internals. */
  details?: Record<string, unknown>
}

/** The only error class. The message says what was attempted, a colon, what was found, and what to do if that helps. */
export class LatchkeyError extends Error {
  override readonly name = 'LatchkeyError'
  readonly code: ErrorCode
  readonly details: Readonly<Record<string, unknown>>

  constructor(code: ErrorCode, message: string, options: LatchkeyErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.details = options.details ?? {}
  }

  /** Restores an error of another thread, which arrives as plain data. */
  static of({ code, message }: { code: ErrorCode; message: string }): LatchkeyError {
    return new LatchkeyError(code, message)
  }

  get title(): string {
    return errorTable[this.code].title
  }

  get status(): number {
    return errorTable[this.code].status
  }

  get retriable(): boolean {
    return errorTable[this.code].retriable
  }
}

/**
 * Returns the text to print for a thrown value: its message, never its stack. Never throws, although reading a value
 * that a store module has thrown may: its members may be getters, and it may be a Proxy.
 */
export function messageOf(thrown: unknown): string {
  try {
    return String(thrown instanceof Error ? thrown.message : thrown)
  } catch {
    return indescribable
  }
}

/** Stands for a thrown value that cannot be read. */
export const indescribable = 'an error was thrown that cannot be read'

/** Like instanceof, for a thrown value. Never throws, although the prototype of a Proxy may not be readable. */
export function isInstance<T>(thrown: unknown, type: abstract new (...args: never[]) => T): thrown is T {
  try {
    return thrown instanceof type
  } catch {
    return false
  }
}
