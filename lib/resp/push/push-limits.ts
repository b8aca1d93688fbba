/** Bounds of subscriptions and of tracking. Redis's own are in brackets. */

/** Channels and patterns of one client [no bound]. */
export const clientSubscriptionsMax = 10_000
/** Channels and patterns of all clients of an instance [no bound]. */
export const subscriptionsMax = 100_000
/** Bytes of the names of channels and patterns: of one client, and of all clients of a thread [no bound]. */
export const clientSubscriptionBytesMax = 1_048_576
export const subscriptionBytesMax = 67_108_864
/** Distinct patterns in one thread: each change is compared with all of them [no bound]. */
export const patternsMax = 1_000
/** Steps of comparing with all patterns of a thread, before those of the costliest pattern are closed: some 500 ms. */
export const patternsStepsMax = 100_000_000
/** Steps of comparing before others get a turn, if it is over. */
export const pauseSteps = 50_000
/** Time after which a pattern may take patternStepsMax steps again, and all together patternsStepsMax. */
export const patternRenewalMs = 1_000

/** Prefixes of one client that tracks in broadcast mode [no bound]. */
export const clientPrefixesMax = 100
/** Bytes of such a prefix [no bound]. */
export const prefixBytesMax = 1_024
/** Distinct prefixes in one thread [no bound]. */
export const prefixesMax = 1_000

/** Keys that are remembered for all clients of an instance; each counts once for each client [the same]. */
export const trackedKeysMax = 1_000_000
/** Bytes of those keys. */
export const trackedBytesMax = 67_108_864

/** Bytes of replies and pushes that a client has not taken, beyond which its pushes wait here and are conflated. */
export const sentBytesMax = 16_384
/** Memory of the pushes that wait for one client [32 MiB], and for all clients of a thread. */
export const queueBytesMax = 1_048_576
export const allQueuesBytesMax = 67_108_864
/** Memory of a push that waits, beside its bytes. */
export const pushOverheadBytes = 128

/** Changed keys that are dispatched before others get a turn. */
export const changesPerTurn = 128
/** Clients to which pushes are sent before others get a turn. */
export const sendsPerTurn = 500
/** Keys that are named with an invalidation of everything: those that the client has read last. */
export const latestKeysMax = 256
/** Memory of such names: of one client, and of what waits for all clients of a thread when they are added. */
export const latestBytesMax = 65_536
export const latestAllBytesMax = 33_554_432
/** Keys in one push of an invalidation. */
export const keysPerPush = 256
