/**
 * Where a page continues: `<mark>.<partition>.<hash>`. The server keeps no state for it. The order of a walk depends on
 * the process, so a cursor of another one is refused. In a group any instance takes it: the mark is that of the process
 * that has read the partition, which is asked to continue.
 */
import { LatchkeyError } from '../errors.ts'
import type { StoreReads, WalkPosition } from '../store-protocol/reads.ts'
import type { Parameters } from './parameters.ts'

const pattern = /^([\w-]{1,64})\.(\d{1,10})\.(\d{1,10})$/
const hashMax = 0xffff_ffff
const partitionMax = 0x7fff_ffff

type MarkedReads = Pick<StoreReads, 'walkMark' | 'readsGroup'>

export function cursorOf({ partition, hash, mark }: WalkPosition, { walkMark }: MarkedReads): string {
  return `${mark ?? walkMark}.${partition}.${hash}`
}

/**
 * @returns undefined without a cursor
 * @throws LatchkeyError invalid_parameter, cursor_expired
 */
export function positionOf(parameters: Parameters, { walkMark, readsGroup }: MarkedReads): WalkPosition | undefined {
  const text = parameters.text('cursor')
  if (text === undefined) return undefined
  const [, mark, partitionText, hashText] = pattern.exec(text) ?? []
  const [partition, hash] = [Number(partitionText), Number(hashText)]
  if (mark === undefined || !(partition <= partitionMax) || !(hash <= hashMax)) {
    throw parameters.invalid('cursor is not one that this server has given; take it from "next", unchanged')
  }
  if (mark === walkMark) return { partition, hash }
  if (readsGroup) return { partition, hash, mark }
  const found = 'the cursor is of another process of this store, or of another store; begin again without it'
  throw new LatchkeyError('cursor_expired', `${parameters.attempted}: ${found}`)
}
