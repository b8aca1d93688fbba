/** Collects the keys of a part of the changelog: each one once, with its last record. */
import { encodeKeys, type KeyRecord, keyRecordBytes } from '../../store-protocol/changed-keys.ts'

export class PartBuilder {
  /** In the order of the last records. */
  readonly #keys = new Map<string, KeyRecord>()
  #bytes = 0

  /** Size of the encoded keys. */
  get bytes(): number {
    return this.#bytes
  }

  add(data: Buffer, keyStart: number, keyLength: number, changelogOffset: number, sourceOffset: number): void {
    const text = data.toString('latin1', keyStart, keyStart + keyLength)
    const known = this.#keys.get(text)
    if (known === undefined) this.#bytes += keyRecordBytes(keyLength)
    else this.#keys.delete(text)
    const key = known?.key ?? new Uint8Array(data.subarray(keyStart, keyStart + keyLength))
    this.#keys.set(text, { key, changelogOffset, sourceOffset })
  }

  build(): Uint8Array<ArrayBuffer> {
    return encodeKeys(this.#keys.values(), this.#bytes)
  }
}
