/** google/type as it is built in, and as Google publishes it. */
import { expect, test } from 'bun:test'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import protobuf from 'protobufjs'
import { codecOf } from '../../../lib/format/index.ts'
import { addBundled } from '../../../lib/format/protobuf/bundled.ts'
import { googleTypeFiles } from '../../../lib/format/protobuf/google-type.ts'
import { hasJava } from '../../support/format/java/java.ts'
import { descriptorsOf } from '../../support/format/protobuf/differential/oracle.ts'

interface EnumDescriptor {
  name: string
  value: { name: string; number?: number }[]
}

interface MessageDescriptor {
  name: string
  field?: { name: string; number: number; label: string; type: string; typeName?: string; oneofIndex?: number }[]
  oneofDecl?: { name: string }[]
  nestedType?: MessageDescriptor[]
}

interface FileDescriptor {
  name: string
  enumType?: EnumDescriptor[]
  messageType?: MessageDescriptor[]
}

/** Of the classes that Google's files become, those whose names are not their files' in capitals. */
const otherNames: Readonly<Record<string, string>> = {
  datetime: 'DateTime',
  dayofweek: 'DayOfWeek',
  latlng: 'LatLng',
  timeofday: 'TimeOfDay',
}

function classOf(file: string): string {
  const name = /(\w+)\.proto$/.exec(file)![1]!
  const words = name.split('_').map((word) => word[0]!.toUpperCase() + word.slice(1))
  return `com.google.type.${otherNames[name] ?? words.join('')}Proto`
}

/** A codec for Google's descriptions of files. */
function descriptorCodec() {
  const folder = mkdtempSync(join(tmpdir(), 'latchkey-descriptor-'))
  const file = join(folder, 'a.proto')
  try {
    writeFileSync(file, 'syntax = "proto3"; import "google/protobuf/descriptor.proto";')
    return codecOf({ format: 'protobuf', file, message: 'google.protobuf.FileDescriptorProto' })
  } finally {
    rmSync(folder, { recursive: true })
  }
}

function published({ enumType = [], messageType = [] }: FileDescriptor): string[] {
  const enums = enumType.flatMap(({ name, value }) =>
    value.map((one) => `google.type.${name}: ${one.name} = ${one.number ?? 0}`),
  )
  return [...enums, ...messageType.flatMap((message) => publishedFields('google.type', message))].toSorted()
}

function publishedFields(
  scope: string,
  { name, field = [], oneofDecl = [], nestedType = [] }: MessageDescriptor,
): string[] {
  const fullName = `${scope}.${name}`
  const fields = field.map((one) => {
    const type = one.typeName ?? one.type.replace('TYPE_', '').toLowerCase()
    const rule = one.label === 'LABEL_REPEATED' ? 'repeated ' : ''
    const oneof = one.oneofIndex === undefined ? '' : ` in ${oneofDecl[one.oneofIndex]!.name}`
    return `${fullName}: ${rule}${type} ${one.name} = ${one.number}${oneof}`
  })
  return [...fields, ...nestedType.flatMap((nested) => publishedFields(fullName, nested))]
}

function builtIn(file: string): string[] {
  const root = new protobuf.Root()
  addBundled(root, file)
  root.resolveAll()
  return fieldsIn(root.lookup('google.type') as protobuf.Namespace).toSorted()
}

function fieldsIn(namespace: protobuf.NamespaceBase): string[] {
  return namespace.nestedArray.flatMap((nested) => {
    const fullName = nested.fullName.slice(1)
    if (nested instanceof protobuf.Enum) {
      return Object.entries(nested.values).map(([name, value]) => `${fullName}: ${name} = ${value}`)
    }
    if (!(nested instanceof protobuf.Type)) return []
    const fields = nested.fieldsArray.map((field) => {
      const type = field.resolvedType?.fullName ?? field.type
      return `${fullName}: ${field.repeated ? 'repeated ' : ''}${type} ${field.name} = ${field.id}${field.partOf ? ` in ${field.partOf.name}` : ''}`
    })
    return [...fields, ...fieldsIn(nested)]
  })
}

// Where Docker runs Kafka, there may be no Java.
if (hasJava) {
  test('google/type is as Google publishes it', async () => {
    const files = [...googleTypeFiles.keys()]
    const codec = descriptorCodec()
    const descriptors = await descriptorsOf(files.map(classOf))
    for (const [index, file] of files.entries()) {
      const descriptor = codec.decode(descriptors[index]!) as unknown as FileDescriptor
      expect(descriptor.name).toBe(file)
      expect(builtIn(file)).toEqual(published(descriptor))
    }
  }, 600_000)
}
