/**
 * Says of most keys that are in no set that they are not, without a string for each: counts of the keys by hash. A
 * changed key costs its hash and one load.
 */
const slots = 1 << 18

const nothing = new Uint32Array(0)

export class KeyFilter {
  /** Allocated with the first key. */
  #counts = nothing

  /** @param key one character for each byte */
  add(key: string): void {
    if (this.#counts === nothing) this.#counts = new Uint32Array(slots)
    this.#counts[slotOfText(key)]! += 1
  }

  remove(key: string): void {
    this.#counts[slotOfText(key)]! -= 1
  }

  clear(): void {
    this.#counts = nothing
  }

  /** Returns false if the set does not have the key. */
  mayHave(data: Uint8Array, start: number, length: number): boolean {
    return this.#counts !== nothing && this.#counts[slotOf(data, start, length)] !== 0
  }
}

/** FNV-1a. */
function slotOf(data: Uint8Array, start: number, length: number): number {
  let hash = 0x811c9dc5
  for (let i = start; i < start + length; i++) hash = Math.imul(hash ^ data[i]!, 0x01000193)
  return (hash ^ (hash >>> 14)) & (slots - 1)
}

function slotOfText(text: string): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  return (hash ^ (hash >>> 14)) & (slots - 1)
}
