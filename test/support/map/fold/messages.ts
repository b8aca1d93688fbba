import type { ChiralMapShared, MapMessage } from '../../../../lib/map/index.ts'

/**
 * Mistakes planted in the map or in how it is read, each of which the checker has to find: not waiting for readers, not loading the counters of
 * exchanges again after all maps are entered, reading entries in another enter than their position.
 */
export type FoldDefect = 'none' | 'does not wait' | 'does not look again' | 'enters twice'

/** Shared words: whether to stop; then for each map the round that it publishes, and its exchanges before. */
export const stopWord = 0
export const roundWord = (map: number) => 1 + 2 * map
export const exchangesWord = (map: number) => 2 + 2 * map

export interface FoldStart {
  readonly kind: 'start'
  readonly words: Int32Array
  /** Of how many; each has a writer thread of its own. */
  readonly maps: number
  readonly map: number
  readonly seed: number
  readonly defect: FoldDefect
}

export type ToFoldWriter =
  | FoldStart
  /** The control words of the other maps, by map. */
  | { readonly kind: 'controls'; readonly controls: readonly SharedArrayBuffer[] }
  | { readonly kind: 'confirmed'; readonly version: number }

export type FromFoldWriter =
  | { readonly kind: 'map'; readonly shared: ChiralMapShared }
  | { readonly kind: 'message'; readonly message: MapMessage }

export type ToFoldReader =
  | {
      readonly kind: 'start'
      readonly shared: readonly ChiralMapShared[]
      readonly words: Int32Array
      readonly seed: number
      /** What the reader has to have seen at least before it ends. */
      readonly least: FoldCounts
      readonly defect: FoldDefect
    }
  | { readonly kind: 'message'; readonly map: number; readonly message: MapMessage }

export interface FoldCounts {
  readonly answers: number
  readonly chunks: number
  readonly walks: number
  /** Different epochs seen. */
  readonly epochs: number
}

export type FromFoldReader =
  | { readonly kind: 'confirmed'; readonly map: number; readonly version: number }
  | ({ readonly kind: 'done' } & FoldCounts)
  | { readonly kind: 'fault'; readonly fault: string }
