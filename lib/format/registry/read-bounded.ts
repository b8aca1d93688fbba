import { Refused } from './faults.ts'

const decoder = new TextDecoder()

/** The text of an answer. @throws Refused where it is longer than `bytesMax`: it is not read on */
export async function readBounded(response: Response, bytesMax: number): Promise<string> {
  const chunks: Uint8Array[] = []
  let length = 0
  // Leaving the loop ends the connection.
  for await (const chunk of response.body ?? []) {
    length += chunk.length
    if (length > bytesMax) throw new Refused(`longer than ${bytesMax} bytes`)
    chunks.push(chunk)
  }
  return decoder.decode(Buffer.concat(chunks))
}
