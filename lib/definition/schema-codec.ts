/** Wraps a codec with a valibot schema. Every value that is encoded has passed the schema. */
import * as v from 'valibot'
import type { Codec } from '../format/index.ts'
import { SchemaMismatch } from './schema-issue.ts'

/** For keys and input: decode returns the output of the schema and throws if the schema refuses the value. */
export function validatedCodec(codec: Codec, schema: v.GenericSchema): Codec {
  return { ...codec, decode: (bytes) => parse(schema, codec.decode(bytes)), encode: encodeWith(codec, schema) }
}

/**
 * For stored values: encode encodes the output of the schema. Stored values were validated when they were written,
 * perhaps by an earlier schema.
 * If the current schema accepts a stored value, decode returns its output (with defaults), else the value unchanged.
 */
export function storedCodec(codec: Codec, schema: v.GenericSchema): Codec {
  return {
    ...codec,
    decode(bytes) {
      const decoded = codec.decode(bytes)
      const parsed = v.safeParse(schema, decoded, { abortEarly: true })
      return parsed.success ? parsed.output : decoded
    },
    encode: encodeWith(codec, schema),
  }
}

function encodeWith(codec: Codec, schema: v.GenericSchema): Codec['encode'] {
  return (value) => codec.encode(parse(schema, value))
}

/** @throws SchemaMismatch */
function parse(schema: v.GenericSchema, value: unknown): unknown {
  const parsed = v.safeParse(schema, value, { abortEarly: true })
  if (parsed.success) return parsed.output
  throw new SchemaMismatch(parsed.issues[0])
}
