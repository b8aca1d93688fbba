/** Reads everything that a store holds, as lines, over and over. */
import { join } from 'node:path'

/** More than an end line has. */
const tailBytes = 100
const lineBreak = 0x0a

export interface Dumped {
  /** Whole dumps. */
  dumps: number
  /** Entries of those and of the one that was cut off. */
  entries: number
}

/** Of a client that dumps over and over. */
export interface Dumps extends Dumped {
  ms: number
}

/** Returns the entries that the last line of a whole dump names; undefined where the dump was cut off. */
export function endOfDump(tail: string): number | undefined {
  const found = /\n\{"end":true,"entries":(\d+)\}\n$/.exec(`\n${tail}`)
  return found ? Number(found[1]) : undefined
}

/**
 * Dumps from a separate process until `end` is called: its processor time is not the store's.
 * It ends with this process, whose pipe it reads.
 */
export function dumpOn(url: string, path: string): { end(): Promise<Dumps> } {
  const script = join(import.meta.dir, 'dump-client.ts')
  const child = Bun.spawn([process.execPath, script, `${url}${path}`], {
    stdin: 'pipe',
    stdout: 'pipe',
    stderr: 'inherit',
  })
  const output = new Response(child.stdout).text()
  return {
    async end() {
      await child.stdin.end()
      const found = await output
      if (!found.startsWith('{')) throw new Error(`dumping ${url}${path}: the client ended with ${await child.exited}`)
      return JSON.parse(found) as Dumps
    },
  }
}

/** Reads one whole dump, or until `signal`. */
export async function dumpOnce(url: string, signal?: AbortSignal): Promise<Dumped> {
  let entries = 0
  let tail: Uint8Array = new Uint8Array()
  try {
    const response = await fetch(url, { headers: { accept: 'application/x-ndjson' }, signal: signal ?? null })
    if (response.status !== 200) throw new Error(`dumping ${url}: ${response.status} ${await response.text()}`)
    for await (const chunk of response.body!) {
      entries += linesOf(chunk)
      tail = Buffer.concat([tail, chunk]).subarray(-tailBytes)
    }
  } catch (error) {
    if (signal?.aborted) return { dumps: 0, entries }
    throw error
  }
  const end = endOfDump(Buffer.from(tail).toString('utf8'))
  if (end === undefined || end !== entries - 1) {
    throw new Error(`dumping ${url}: ${entries} lines, its end names ${end}`)
  }
  return { dumps: 1, entries: end }
}

function linesOf(chunk: Uint8Array): number {
  let lines = 0
  for (let at = chunk.indexOf(lineBreak); at >= 0; at = chunk.indexOf(lineBreak, at + 1)) lines++
  return lines
}
