/** Google's own files, by the name that they are imported by: they need not lie beside a .proto that imports them. */
import protobuf from 'protobufjs'
import annotations from 'protobufjs/google/api/annotations.json' with { type: 'json' }
import http from 'protobufjs/google/api/http.json' with { type: 'json' }
import api from 'protobufjs/google/protobuf/api.json' with { type: 'json' }
import descriptor from 'protobufjs/google/protobuf/descriptor.json' with { type: 'json' }
import sourceContext from 'protobufjs/google/protobuf/source_context.json' with { type: 'json' }
import type from 'protobufjs/google/protobuf/type.json' with { type: 'json' }

interface Definitions {
  nested?: Record<string, object> | undefined
}

/** These come with the library's code. */
const inLibrary = ['any', 'duration', 'empty', 'field_mask', 'struct', 'timestamp', 'wrappers']

/** The first ones count where several define the same: some hold excerpts of others. */
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
])

export function isBundled(name: string): boolean {
  return bundled.has(name)
}

export function addBundled(root: protobuf.Root, name: string): void {
  for (const definitions of bundled.get(name) ?? []) addMissing(root, definitions?.nested ?? {})
}

function addMissing(namespace: protobuf.NamespaceBase, nested: Record<string, object>): void {
  for (const [name, definition] of Object.entries(nested)) {
    const existing = namespace.get(name)
    if (existing === null) namespace.addJSON({ [name]: definition as protobuf.AnyNestedObject })
    else if (existing instanceof protobuf.Namespace) addMissing(existing, (definition as Definitions).nested ?? {})
  }
}
