/** Defects of the kinds that a fault run is there to find. plants.test.ts holds that each can still be planted. */
export interface Plant {
  name: string
  file: string
  edits: readonly { find: string; replace: string }[]
}

/** A defect of one edit. */
export function plant(name: string, file: string, find: string, replace: string): Plant {
  return { name, file, edits: [{ find, replace }] }
}

export const plants: readonly Plant[] = [
  {
    name: 'commit before acknowledgement',
    file: 'lib/store-thread/ingest/ingest.ts',
    edits: [
      {
        find: 'return this.partition(partition)?.acknowledged ?? -1',
        replace: 'return this.partition(partition)?.consumed ?? -1',
      },
    ],
  },
  {
    name: 'publish before acknowledgement',
    file: 'lib/store-thread/ingest/changelog-writer.ts',
    edits: [
      {
        find: "import type { ChangelogBatch } from './changelog-batch.ts'",
        replace:
          "import type { ChangelogBatch } from './changelog-batch.ts'\n" +
          "import { applyRecords } from '../apply.ts'\n" +
          "import { RecordBatchReader } from '../../kafka/record-batch/index.ts'",
      },
      {
        find: 'return this.#context.partitions.get(partition)?.takeBatch(this.#isDue)',
        replace: `const { partitions, map, stats, flusher } = this.#context
    const batch = partitions.get(partition)?.takeBatch(this.#isDue)
    if (batch === undefined) return undefined
    batch.seal({ producerId: 0, producerEpoch: 0, baseSequence: 0 } as never)
    applyRecords(map, stats, partition, batch.openIn(new RecordBatchReader()), 0, undefined, undefined)
    flusher.wrote()
    return batch`,
      },
    ],
  },
  {
    name: 'a batch in three hundred is skipped',
    file: 'lib/store-thread/ingest/source-decoder.ts',
    edits: [
      {
        find: 'else if (!this.#takeRecords(state, batch)) {',
        replace: 'else if (Math.random() > 1 / 300 && !this.#takeRecords(state, batch)) {',
      },
    ],
  },
  {
    name: 'many keys are read one after another',
    file: 'lib/store/multi-reads.ts',
    edits: [
      {
        find: 'const found = search.findAll(keys, owners)',
        replace: `const found = keys.map((key, index) => {
        for (const reader of readers) reader.leave()
        Bun.sleepSync(1)
        for (const reader of readers) reader.enter()
        return search.find(key, owners[index]!)
      })`,
      },
    ],
  },
  {
    name: 'no checksum',
    file: 'lib/kafka/record-batch/record-batch-reader.ts',
    edits: [{ find: 'if (found !== expected) {', replace: 'if (found !== expected && expected === undefined) {' }],
  },
]
