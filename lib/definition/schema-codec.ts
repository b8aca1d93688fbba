/** A codec whose values a valibot schema has seen: no value gets past it, in whichever direction. */
import * as v from 'valibot'
import { type Codec } from '../format/index.ts'
import { describeIssue } from './schema-issue.ts'

/** For keys and input: what is decoded is the schema's output, and what it refuses is refused. */
export function validatedCodec(codec: Codec, schema: v.GenericSchema): Codec {
  return { ...codec, decode: (bytes) => parse(schema, codec.decode(bytes)), encode: encodeWith(codec, schema) }
}

/**
 * For stored values: what is encoded is the schema's output. What is stored has been validated, perhaps by an earlier schema: where today's
 * takes it, its output is given (with its defaults), else the value as it is.
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

/** @throws Error: a line that names the path and what is expected there, and nothing of the value */
function parse(schema: v.GenericSchema, value: unknown): unknown {
  const parsed = v.safeParse(schema, value, { abortEarly: true })
  if (parsed.success) return parsed.output
  throw new Error(describeIssue(parsed.issues[0]))
}
