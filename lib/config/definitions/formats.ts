/** Settings for the formats of keys and values. ../formats.ts reads them together. */
import * as v from 'valibot'
import { simpleFormats } from '../../format/formats-config.ts'

export const formatNames = [...simpleFormats, 'protobuf', 'avro', 'json-schema'] as const

const formatAllowed = `${formatNames.slice(0, -1).join(', ')} or ${formatNames.at(-1)}`

export const formatDefinitions = {
  keyFormat: formatOf('KEY_FORMAT', 'What the topic’s keys are: how they are checked, and written in URLs.', 'raw'),
  valueFormat: formatOf(
    'VALUE_FORMAT',
    'What the topic’s values are: how they are checked, and shown as JSON.',
    'raw',
    'json, avro, protobuf, …: what values are; else raw',
  ),
  storeFormat: formatOf(
    'STORE_FORMAT',
    'What values are converted to, to be stored and written to the changelog.',
    'VALUE_FORMAT',
  ),
  protoFile: textOf('PROTO_FILE', 'File that defines the messages of format protobuf.', 'the path of a .proto file'),
  protoPath: textOf(
    'PROTO_PATH',
    'Directories in which its imports are looked up, after the folder of the importing file.',
    'directories, separated by commas',
  ),
  keyMessage: messageOf('KEY_MESSAGE', 'keys'),
  valueMessage: messageOf('VALUE_MESSAGE', 'values'),
  storeMessage: messageOf('STORE_MESSAGE', 'stored values', 'VALUE_MESSAGE'),
  keySchemaFile: schemaOf('KEY_SCHEMA_FILE', 'keys'),
  valueSchemaFile: schemaOf('VALUE_SCHEMA_FILE', 'values'),
  storeSchemaFile: schemaOf('STORE_SCHEMA_FILE', 'stored values', 'VALUE_SCHEMA_FILE'),
  schemaRegistryUrl: textOf(
    'SCHEMA_REGISTRY_URL',
    'Schema registry: formats avro, protobuf and json-schema without a file are its wire format.',
    'a URL such as https://registry.example:8081, without user and password',
  ),
  schemaRegistryCredentials: v.pipe(
    v.optional(v.string()),
    v.metadata({
      variable: 'SCHEMA_REGISTRY_CREDENTIALS',
      meaning: 'User and password for the schema registry.',
      allowed: 'user:password',
      default: 'none',
      isSecret: true,
    }),
  ),
}

function formatOf(variable: string, meaning: string, defaultText: string, brief?: string) {
  return v.pipe(
    v.optional(v.picklist(formatNames)),
    v.metadata({ variable, meaning, allowed: formatAllowed, default: defaultText, ...(brief && { brief }) }),
  )
}

function textOf(variable: string, meaning: string, allowed: string, defaultText = 'none') {
  return v.pipe(v.optional(v.string()), v.metadata({ variable, meaning, allowed, default: defaultText }))
}

function messageOf(variable: string, what: string, defaultText = 'none') {
  const meaning = `Message of PROTO_FILE that ${what} are, with format protobuf.`
  return textOf(variable, meaning, 'a full name, such as orders.v1.Order', defaultText)
}

function schemaOf(variable: string, what: string, defaultText = 'none') {
  const meaning = `File with the schema of ${what}, with format avro.`
  return textOf(variable, meaning, 'the path of an Avro schema in JSON', defaultText)
}
