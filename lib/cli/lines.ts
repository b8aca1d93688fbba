/** Lines of a body, as they arrive. */
import { NoAnswer } from './no-answer.ts'

/** Longest line: the largest value of a store, four times escaped. */
const lineBytesMax = 2 ** 30

const lineFeed = 10

/** Yields whole lines in pieces of one or more, with their line feeds; what follows the last line feed comes last. */
export async function* wholeLines(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let rest: Uint8Array[] = []
  let restBytes = 0
  for await (const chunk of body) {
    const end = chunk.lastIndexOf(lineFeed) + 1
    if (end > 0) {
      yield Buffer.concat([...rest, chunk.subarray(0, end)])
      rest = []
      restBytes = 0
    }
    rest.push(chunk.subarray(end))
    restBytes += chunk.length - end
    if (restBytes > lineBytesMax) throw new NoAnswer(`Reading the answer: a line is longer than ${lineBytesMax} bytes`)
  }
  if (restBytes > 0) yield Buffer.concat(rest)
}
