/**
 * `bytes` without a length prefix. In a registry's wire format, a value whose whole schema is `bytes` takes the rest of
 * the record after the schema id
 * (https://docs.confluent.io/platform/current/schema-registry/fundamentals/serdes-develop/index.html#wire-format).
 */
import { AvroReader } from './reader.ts'
import { AvroWriter } from './writer.ts'

export class BareBytesReader extends AvroReader {
  override bytes(): Uint8Array {
    return this.rest()
  }
}

export class BareBytesWriter extends AvroWriter {
  override bytes(bytes: Uint8Array): void {
    this.fixed(bytes)
  }
}
