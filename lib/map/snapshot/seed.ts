/**
 * The seed file: the key of the index hash, which all maps of a store have to have, and an id that manifests name. The
 * key is secret (lib/map/DESIGN.md, Layout), so the file is for its owner only.
 */
import * as v from 'valibot'
import { type Disk, systemCodeOf, unfinishedSuffix, writeDurably } from './disk.ts'
import { damagedPrefix, seedName } from './file-names.ts'
import { openSealedJson, sealJson } from './sealed-json.ts'

export interface Seed {
  readonly id: string
  readonly key: readonly [number, number]
}

const bytesMax = 4096
/** Attempts, if other threads or processes make and remove the file at the same time. */
const attemptsMax = 5
const word = v.pipe(v.number(), v.integer(), v.minValue(-(2 ** 31)), v.maxValue(2 ** 31 - 1))
const schema = v.object({ format: v.literal(1), id: v.pipe(v.string(), v.length(16)), key: v.tuple([word, word]) })

/** Returns the seed of a directory, and makes it if there is none. A damaged one is set aside. Throws errors of the disk. */
export function readSeed(disk: Disk, directory: string): { seed: Seed; isReplaced: boolean } {
  const path = `${directory}/${seedName}`
  let isReplaced = false
  for (let attempt = 0; attempt < attemptsMax; attempt++) {
    const content = contentOf(disk, path)
    if (content === undefined) {
      makeSeed(disk, directory)
      continue
    }
    const seed = decode(content)
    if (seed !== undefined) return { seed, isReplaced }
    disk.rename(path, `${directory}/${damagedPrefix}${seedName}`)
    isReplaced = true
  }
  throw new Error(`it was not to be made within ${attemptsMax} attempts`)
}

function contentOf(disk: Disk, path: string): Uint8Array | undefined {
  try {
    return disk.readWhole(path, bytesMax)
  } catch (error) {
    const code = systemCodeOf(error)
    if (code === 'ENOENT') return undefined
    if (code === 'EFBIG') return new Uint8Array()
    throw error
  }
}

function decode(content: Uint8Array): Seed | undefined {
  const parsed = v.safeParse(schema, openSealedJson(content)?.value)
  return parsed.success ? parsed.output : undefined
}

/** The thread or process that links the name first has made the seed. */
function makeSeed(disk: Disk, directory: string): void {
  const [first, second] = crypto.getRandomValues(new Int32Array(2))
  const id = crypto.getRandomValues(new Uint8Array(8)).toHex()
  const unfinished = `${directory}/${seedName}-${id}${unfinishedSuffix}`
  try {
    writeDurably(disk, unfinished, sealJson({ format: 1, id, key: [first, second] }))
    disk.link(unfinished, `${directory}/${seedName}`)
  } catch (error) {
    if (systemCodeOf(error) !== 'EEXIST') throw error
  } finally {
    disk.remove(unfinished)
  }
  disk.syncDirectory(directory)
}
