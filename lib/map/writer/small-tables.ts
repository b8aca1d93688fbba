/**
 * The memory of index tables that are smaller than a segment. A freed one is used again for a table of the same size,
 * because the engine may keep its memory.
 */
export class SmallTables {
  readonly #free = new Map<number, SharedArrayBuffer[]>()
  #bytes = 0

  /** Bytes of all tables ever made. */
  get bytes(): number {
    return this.#bytes
  }

  /** Returns memory with zeros. */
  allocate(bytes: number): SharedArrayBuffer {
    const free = this.#free.get(bytes)?.pop()
    if (free === undefined) {
      this.#bytes += bytes
      return new SharedArrayBuffer(bytes)
    }
    new Uint8Array(free).fill(0)
    return free
  }

  /** Frees a table. No reader may be able to reach it. */
  free(table: SharedArrayBuffer): void {
    const free = this.#free.get(table.byteLength)
    if (free === undefined) this.#free.set(table.byteLength, [table])
    else free.push(table)
  }
}
