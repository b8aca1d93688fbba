import { afterAll, beforeAll, expect, test } from 'bun:test'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { LatchkeyError } from '../../../lib/errors.ts'
import { codecOf } from '../../../lib/format/index.ts'

let root: string

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'latchkey-protos-'))
})
afterAll(() => rmSync(root, { recursive: true }))

/** A new folder with these files. */
function folderWith(files: Record<string, string>): string {
  const folder = mkdtempSync(join(root, 'files-'))
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    writeFileSync(join(folder, name), text)
  }
  return folder
}

function codec(folder: string, file: string, message: string, include: readonly string[] = []) {
  return codecOf({ format: 'protobuf', file: join(folder, file), message, include })
}

function faultOf(action: () => unknown): { part: string; found: string } {
  try {
    action()
  } catch (error) {
    expect(error).toBeInstanceOf(LatchkeyError)
    const { code, details, message } = error as LatchkeyError
    expect(code).toBe('invalid_settings')
    expect(message).toBe(`Making the codec of protobuf: ${details['found']}`)
    return details as { part: string; found: string }
  }
  throw new Error('It was accepted')
}

const proto3 = 'syntax = "proto3";\n'

test('an import is found beside the file that has it, then in the include directories, the first one first', () => {
  const folder = folderWith({
    'a.proto': `${proto3}import "near/b.proto"; message A { b.B b = 1; }`,
    'near/b.proto': `${proto3}package b; import "c.proto"; message B { c.C c = 1; }`,
    'near/c.proto': `${proto3}package c; import "d.proto"; message C { d.D d = 1; }`,
    'first/d.proto': `${proto3}package d; message D { string first = 1; }`,
    'second/d.proto': `${proto3}package d; message D { string second = 1; }`,
  })
  const include = ['first', 'second'].map((name) => join(folder, name))
  expect(codec(folder, 'a.proto', 'A', include).decode(Uint8Array.fromHex('0a070a050a030a0178'))).toEqual({
    b: { c: { d: { first: 'x' } } },
  })
})

test('a file that is imported by several paths is one file, and files may import each other', () => {
  const folder = folderWith({
    'x/a.proto': `${proto3}import "x/b.proto"; import "b.proto"; import "link.proto"; message A { B b = 1; }`,
    'x/b.proto': `${proto3}import "a.proto"; message B { A a = 1; }`,
  })
  symlinkSync(join(folder, 'x/b.proto'), join(folder, 'link.proto'))
  expect(codec(folder, 'x/a.proto', 'A', [folder]).fromJson({ b: { a: {} } })).toEqual({ b: { a: {} } })
})

test('Google’s files are built in, and existing files override them', () => {
  const all = ['any', 'api', 'descriptor', 'duration', 'empty', 'field_mask', 'source_context', 'struct', 'timestamp']
  const imports = [...all, 'type', 'wrappers'].map((name) => `import "google/protobuf/${name}.proto";`).join('\n')
  const text = `${proto3}${imports}
    import "google/api/annotations.proto";
    import "google/api/http.proto";
    extend google.protobuf.FieldOptions { string note = 50001; }
    message A { google.protobuf.Empty empty = 1 [(note) = "n"]; google.protobuf.Api api = 2; google.protobuf.Type type = 3; }
    service S { rpc Get(A) returns (A) { option (google.api.http) = { get: "/v1/{name=a/*}" }; } }`
  const folder = folderWith({
    'a.proto': text,
    'b.proto': `${proto3}import "google/protobuf/empty.proto"; message B { google.protobuf.Empty empty = 1; }`,
    'own/google/protobuf/empty.proto': `${proto3}package google.protobuf; message Empty { string own = 1; }`,
  })
  expect(codec(folder, 'a.proto', 'A').fromJson({ empty: {}, api: { name: 'n' } })).toEqual({
    empty: {},
    api: { name: 'n' },
  })
  const own = codec(folder, 'b.proto', 'B', [join(folder, 'own')])
  expect(own.decode(own.encode({ empty: { own: 'x' } }))).toEqual({ empty: { own: 'x' } })
})

test('fields that differ in their underscores only are two, by their names as they are written', () => {
  const folder = folderWith({
    'a.proto': `${proto3}message A { string a_b = 1; string aB = 2 [json_name = "other"]; }`,
  })
  const codecOfA = codec(folder, 'a.proto', 'A')
  expect(codecOfA.decode(Uint8Array.fromHex('0a0178120179'))).toEqual({ aB: 'x', other: 'y' })
})

test('a message of any depth is named in full, with or without a dot before it', () => {
  const folder = folderWith({ 'a.proto': `${proto3}package p.q; message A { message B { int32 n = 1; } }` })
  for (const name of ['p.q.A.B', '.p.q.A.B']) expect(codec(folder, 'a.proto', name).name).toBe('protobuf p.q.A.B')
})

test('an unknown message is a fault that names the known ones, the most similar first', () => {
  const messages = Array.from({ length: 12 }, (_, index) => `message M${index} {}`).join('\n')
  const folder = folderWith({
    'a.proto': `${proto3}package shop.v1; ${messages} message Order {} message OrderLine {} enum Status { NONE = 0; }`,
    'empty.proto': proto3,
  })
  const fault = faultOf(() => codec(folder, 'a.proto', 'Order'))
  expect(fault.part).toBe('message')
  expect(fault.found).toStartWith(
    'no message has this full name: there are shop.v1.Order, shop.v1.OrderLine, shop.v1.M0, ',
  )
  expect(fault.found).toEndWith(' and 4 more')
  // An enum is no message.
  expect(faultOf(() => codec(folder, 'a.proto', 'shop.v1.Status')).part).toBe('message')
  expect(faultOf(() => codec(folder, 'empty.proto', 'A')).found).toBe('no message has this full name: there is none')
})

test('files with faults are named, and so are the files that import them', () => {
  const folder = folderWith({
    'syntax.proto': `${proto3}message A {\n  string a = ;\n}`,
    'number.proto': `${proto3}message A { string a = 1; string b = 1; }`,
    'type.proto': `${proto3}message A { Missing a = 1; }`,
    'twice.proto': `${proto3}message A {} message A {}`,
    'import.proto': `${proto3}import "no/such.proto"; message A {}`,
    'faulty.proto': `${proto3}import "syntax.proto"; message B {}`,
    'folder.proto/x': '',
    'text.proto': 'Dear reader,',
    'weak.proto': `${proto3}import weak "no/such.proto"; message A {}`,
  })
  const found = (file: string) => faultOf(() => codec(folder, file, 'A')).found
  expect(found('missing.proto')).toBe('missing.proto cannot be read: there is no such file (ENOENT)')
  expect(found('folder.proto')).toBe('folder.proto cannot be read: it is a directory (EISDIR)')
  expect(found('syntax.proto')).toBe("syntax.proto: illegal id ';' (line 3)")
  expect(found('faulty.proto')).toBe("syntax.proto: illegal id ';' (line 3)")
  expect(found('number.proto')).toBe('number.proto: duplicate id 1 in Type A')
  expect(found('type.proto')).toBe("type.proto: no such Type or Enum 'Missing' in Type .A")
  expect(found('twice.proto')).toStartWith("twice.proto: duplicate name 'A'")
  expect(found('text.proto')).toStartWith("text.proto: illegal token 'Dear'")
  expect(found('import.proto')).toBe(
    `import.proto imports "no/such.proto", which is not in ${folder}: name the directory that import paths start from in PROTO_PATH`,
  )
  expect(codec(folder, 'weak.proto', 'A').fromJson({})).toEqual({})
})

test('files are bounded', () => {
  const folder = folderWith({ 'large.proto': '' })
  truncateSync(join(folder, 'large.proto'), 20_000_000)
  const { found } = faultOf(() => codec(folder, 'large.proto', 'A'))
  expect(found).toBe('large.proto cannot be read: it is longer than 16777216 bytes')
})
