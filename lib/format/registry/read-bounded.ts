import { Refused } from './faults.ts'

const decoder = new TextDecoder()

/**
 * Returns the body of a response as text.
 * @throws Refused if it is longer than `bytesMax`; the rest is not read
 */
export async function readBounded(response: Response, bytesMax: number): Promise<string> {
  const chunks: Uint8Array[] = []
  let length = 0
  // Leaving the loop closes the connection.
  for await (const chunk of response.body ?? []) {
    length += chunk.length
    if (length > bytesMax) throw new Refused(`longer than ${bytesMax} bytes`)
    chunks.push(chunk)
  }
  return decoder.decode(Buffer.concat(chunks))
}
