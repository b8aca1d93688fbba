/** How the two topics are fetched. Sizes were chosen by test/bench: larger responses gain nothing and stay resident. */
import { type FetchOptions } from '../kafka/fetch.ts'

const common = { maxWaitMs: 500, minBytes: 1, isolation: 'read_committed', rack: '' } as const

export const sourceFetch: FetchOptions = { ...common, maxBytes: 8 << 20, partitionMaxBytes: 1 << 20 }
export const changelogFetch: FetchOptions = { ...common, maxBytes: 8 << 20, partitionMaxBytes: 2 << 20 }
