/** The vectors that the other tests go by are what Kafka's and Google's own code writes. */
import { expect, test } from 'bun:test'
import { hasJava, writeVectors } from '../../support/format/java/java.ts'
import vectors from '../../support/format/java/vectors.json' with { type: 'json' }

// Where Docker runs Kafka, there may be no Java.
if (hasJava) {
  test('the vectors are what Java writes', async () => {
    expect(await writeVectors()).toEqual(vectors as never)
  })
}
