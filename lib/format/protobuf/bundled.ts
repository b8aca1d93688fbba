/**
 * Built-in .proto files, by the name under which they are imported: Google's own, and all files that Confluent's
 * registry knows without a reference.
 */
import protobuf from 'protobufjs'
import annotations from 'protobufjs/google/api/annotations.json' with { type: 'json' }
import http from 'protobufjs/google/api/http.json' with { type: 'json' }
import api from 'protobufjs/google/protobuf/api.json' with { type: 'json' }
import plugin from 'protobufjs/google/protobuf/compiler/plugin.json' with { type: 'json' }
import descriptor from 'protobufjs/google/protobuf/descriptor.json' with { type: 'json' }
import sourceContext from 'protobufjs/google/protobuf/source_context.json' with { type: 'json' }
import type from 'protobufjs/google/protobuf/type.json' with { type: 'json' }
import { googleTypeFiles } from './google-type.ts'
import { parseProto } from './parse.ts'

interface Definitions {
  nested?: Record<string, object> | undefined
}

/** Files that are part of the library's code. */
const inLibrary = ['any', 'duration', 'empty', 'field_mask', 'struct', 'timestamp', 'wrappers']

/** Definitions by file. If several define the same name, the first is used: some contain only excerpts of others. */
const bundled = new Map<string, readonly (Definitions | null)[]>([
  ...inLibrary
    .map((name) => `google/protobuf/${name}.proto`)
    .map((name) => [name, [protobuf.common.get(name)]] as const),
  ['google/protobuf/api.proto', [api]],
  ['google/protobuf/descriptor.proto', [descriptor]],
  ['google/protobuf/source_context.proto', [sourceContext]],
  ['google/protobuf/type.proto', [type]],
  ['google/api/annotations.proto', [descriptor, http, annotations]],
  ['google/api/http.proto', [http]],
  ['google/protobuf/compiler/plugin.proto', [descriptor, plugin]],
])

/** Files that define only options, which are ignored. */
const ofOptions = ['cpp', 'go', 'java'].map((language) => `google/protobuf/${language}_features.proto`)

const texts: ReadonlyMap<string, string> = new Map([
  ...googleTypeFiles,
  ...ofOptions.map((name) => [name, 'syntax = "proto2"; package pb;'] as const),
  [
    'confluent/meta.proto',
    'syntax = "proto3"; package confluent; message Meta { string doc = 1; map<string, string> params = 2; repeated string tags = 3; }',
  ],
  [
    'confluent/type/decimal.proto',
    'syntax = "proto3"; package confluent.type; message Decimal { bytes value = 1; uint32 precision = 2; int32 scale = 3; }',
  ],
])

export function isBundled(name: string): boolean {
  return bundled.has(name) || texts.has(name)
}

/** Adds a file and its imports. Definitions that the root already has stay unchanged. */
export function addBundled(root: protobuf.Root, name: string): void {
  const text = texts.get(name)
  if (text !== undefined) {
    const { root: own, imports = [] } = parseProto(text, new protobuf.Root())
    addMissing(root, own.toJSON().nested ?? {})
    for (const imported of imports) addBundled(root, imported)
  }
  for (const definitions of bundled.get(name) ?? []) addMissing(root, definitions?.nested ?? {})
}

function addMissing(namespace: protobuf.NamespaceBase, nested: Record<string, object>): void {
  for (const [name, definition] of Object.entries(nested)) {
    const existing = namespace.get(name)
    if (existing === null) namespace.addJSON({ [name]: definition })
    else if (existing instanceof protobuf.Namespace) addMissing(existing, (definition as Definitions).nested ?? {})
  }
}
