/** Bounds of the Redis protocol. Redis's own are in brackets. */

/** Bytes of one command, all of its arguments included [512 MiB for each argument]. */
export const commandBytesMax = 1_048_576
/** Digits of a length or a count. No bound has more [20]. */
export const digitsMax = 10
/** Arguments of one command, its name included [1,048,576]. */
export const argumentsMax = 65_536
/** Bytes of an inline command [65,536]. */
export const inlineBytesMax = 65_536

/** Bytes of the first buffer of an incomplete command. */
export const roomMin = 512
/** Arguments whose places an idle connection keeps. */
export const placesMax = 1_024

/** The two bounds of clients that have not sent the token yet; the same as Redis's. */
export const openArgumentsMax = 10
export const openArgumentBytesMax = 16_384

/** Bytes of replies that wait for a client. Beyond it, no further command of the client is read [no bound]. */
export const waitingBytesMax = 1_048_576
/** Bytes of commands that wait for an earlier one. Beyond it, the socket is not read. */
export const pendingBytesMax = 65_536

/** Arguments that one client's commands may have before other clients get a turn: some milliseconds. */
export const turnArgumentsMax = 4_000

/** Arguments between two looks at the clock: whether the turn that the commands of all clients share is over. */
export const clockArguments = 512

/** Bytes of values that one client's commands may read before other clients get a turn: some milliseconds. */
export const turnBytesMax = 16_777_216

/** Keys of one MGET, EXISTS or the like [no bound]. */
export const keysMax = 10_000
/** Bytes of the values of one MGET [no bound]. */
export const manyBytesMax = 16_777_216

/** Names of one CONFIG GET, COMMAND INFO or COMMAND DOCS, whose replies are made without a pause [no bound]. */
export const namesMax = 128

/** Entries of one SCAN [no bound]. */
export const scanCountMax = 10_000
/** Keys that KEYS returns, and their bytes [no bound]. */
export const keysReplyMax = 10_000
export const keysReplyBytesMax = 1_048_576
/** Walks of KEYS at the same time, in a thread. */
export const walksMax = 4
/** Bytes of a pattern of MATCH or KEYS [no bound]. */
export const patternBytesMax = 1_024
/** Steps of comparing keys with a pattern, between two pauses: about 20 ms. */
export const patternStepsMax = 4_000_000
