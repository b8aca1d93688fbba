/** Makes the codecs of what a module gives as its key, input and value. Error messages suggest similar names. */
import { dirname, resolve } from 'node:path'
import type * as v from 'valibot'
import { LatchkeyError, messageOf } from '../errors.ts'
import {
  type Codec,
  codecOf,
  type FormatSpec,
  type SimpleFormat,
  simpleFormats,
  valueCodecOf,
} from '../format/index.ts'
import { nearName } from '../text/did-you-mean.ts'
import { pathOf } from './call-site.ts'
import type { CodecSource, ModuleFormat, OwnCodec, ValidatedFormat } from './codec-source.ts'
import { completeCodec } from './module-codec.ts'
import { storedCodec, validatedCodec } from './schema-codec.ts'

export type Member = 'key' | 'input' | 'value'

const helpers = new Set(['json', 'protobuf', 'avro', 'registry'])
const allowed = `one of ${simpleFormats.join(', ')}; protobuf(…), avro(…), registry(…) or json(); a valibot schema; or { decode, encode }`

/**
 * @param moduleUrl paths of files are relative to the folder of this module
 * @throws Error that names the member and completes "Loading the store module: "
 */
export function codecFrom(member: Member, source: CodecSource, moduleUrl: string | undefined): Codec {
  if (source === undefined) throw new Error(`${member} is missing: it must be ${allowed}`)
  if (typeof source === 'string') return simpleCodec(member, source)
  if (typeof source !== 'object' || source === null) {
    throw new Error(`${member} is ${nameOf(source)}: it must be ${allowed}`)
  }
  if (isSchema(source)) return withSchema(member, codecFor(member, { format: 'json' }), source)
  if ('schema' in source) return validatedFormat(member, source, moduleUrl)
  if ('format' in source) return formatCodec(member, source as ModuleFormat, moduleUrl)
  return ownCodec(member, source as OwnCodec)
}

function codecFor(member: Member, spec: FormatSpec): Codec {
  return (member === 'key' ? codecOf(spec) : valueCodecOf(spec)) as Codec
}

/** Whether plain data describes the source: a name, or an object with `format`. */
export function isFormat(source: CodecSource): boolean {
  return typeof source === 'string' || (typeof source === 'object' && 'format' in source)
}

/** Whether a schema validates values. Their bytes may then differ from the bytes of the record. */
export function changesBytes(source: CodecSource): boolean {
  return typeof source === 'object' && (isSchema(source) || 'schema' in source)
}

function simpleCodec(member: Member, name: string): Codec {
  if ((simpleFormats as readonly string[]).includes(name)) return codecFor(member, { format: name as SimpleFormat })
  if (helpers.has(name)) {
    throw new Error(`${member}: "${name}" needs options: ${name}({ … }), imported from latchkey`)
  }
  const near = nearName(name.toLowerCase(), simpleFormats) ?? simpleFormats.find((format) => isSame(format, name))
  const meant = near === undefined ? `it must be ${allowed}` : `did you mean "${near}"?`
  throw new Error(`${member}: there is no format ${JSON.stringify(name.slice(0, 100))}: ${meant}`)
}

/** Whether two names are the same except for case and punctuation: `UTF-8` and `utf8`. */
function isSame(format: string, name: string): boolean {
  return bare(format) === bare(name)
}

function bare(name: string): string {
  return name.toLowerCase().replaceAll(/[^a-z0-9]/g, '')
}

function formatCodec(member: Member, format: ModuleFormat<unknown>, moduleUrl: string | undefined): Codec {
  if (!helpers.has(format.format)) return simpleCodec(member, String(format.format))
  const folder = dirname(pathOf(moduleUrl) ?? resolve('module'))
  try {
    return codecFor(
      member,
      absolute(format, (path) => resolve(folder, path)),
    )
  } catch (error) {
    const { found } = (error instanceof LatchkeyError ? error.details : {}) as { found?: string }
    throw new Error(`${member}: ${found ?? messageOf(error)}`, { cause: error })
  }
}

function absolute(format: ModuleFormat<unknown>, of: (path: string) => string): FormatSpec {
  switch (format.format) {
    case 'json':
      return { format: 'json' }
    case 'protobuf': {
      const { file, message, include = [] } = format
      return { format: 'protobuf', file: of(file), message, include: include.map(of) }
    }
    case 'avro':
      return { format: 'avro', file: of(format.file) }
    case 'registry':
      return format
  }
}

function validatedFormat(member: Member, { format, schema }: ValidatedFormat, moduleUrl: string | undefined): Codec {
  if (!isSchema(schema)) throw new Error(`${member}: schema is ${nameOf(schema)}: it must be a valibot schema`)
  return withSchema(member, codecFrom(member, format, moduleUrl), schema)
}

function withSchema(member: Member, codec: Codec, schema: v.GenericSchema): Codec {
  if ((schema as { async: boolean }).async) throw new Error(`${member}: the schema is async: it must be synchronous`)
  return member === 'value' ? storedCodec(codec, schema) : validatedCodec(codec, schema)
}

function isSchema(source: object): source is v.GenericSchema {
  return (source as { kind?: unknown }).kind === 'schema' && '~run' in source
}

function ownCodec(member: Member, own: OwnCodec): Codec {
  for (const name of ['decode', 'encode'] as const) {
    if (typeof own[name] !== 'function') {
      throw new TypeError(`${member}: ${name} is ${nameOf(own[name])}: ${member} must be ${allowed}`)
    }
  }
  for (const name of ['toJson', 'fromJson', 'toText', 'fromText'] as const) {
    const isLeftOut = own[name] === undefined
    if (!isLeftOut && typeof own[name] !== 'function') {
      throw new Error(`${member}: ${name} is ${nameOf(own[name])}: it must be a function`)
    }
  }
  return completeCodec(own)
}

/** Describes the type of a value for a message, without showing the value. */
export function nameOf(value: unknown): string {
  if (value === undefined) return 'missing'
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'an array'
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`
}
