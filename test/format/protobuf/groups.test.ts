import { expect, test } from 'bun:test'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import protobuf from 'protobufjs'
import { codecOf, type Json } from '../../../lib/format/index.ts'

const text = `syntax = "proto2";
  message A {
    optional group MyGroup = 1 { optional int32 x = 1; }
    repeated group ITEM = 2 { optional group Inner_Part = 1 { optional int32 y = 1; } }
    optional int32 myGroup = 3;
    extensions 100 to 199;
  }
  extend A { optional group FarAway = 100 { optional bool z = 1; } }`

function codec() {
  const folder = mkdtempSync(join(tmpdir(), 'latchkey-groups-'))
  const file = join(folder, 'a.proto')
  try {
    writeFileSync(file, text)
    return codecOf({ format: 'protobuf', file, message: 'A' })
  } finally {
    rmSync(folder, { recursive: true })
  }
}

const named: [hex: string, json: Json][] = [
  ['0b08010c', { mygroup: { x: 1 } }],
  ['0b0c1802', { mygroup: {}, myGroup: 2 }],
  ['130b08010c141314', { item: [{ innerPart: { y: 1 } }, {}] }],
  ['a3060801a406', { '[faraway]': { z: true } }],
]

test.each(named)('%s: the field of a group is named in lower case, as protoc does', (hex, json) => {
  expect(codec().decode(Uint8Array.fromHex(hex))).toEqual(json)
  expect(codec().encode(json).toHex()).toBe(hex)
})

test('the library is as it was when a text has been parsed', () => {
  codec()
  expect(protobuf.util.lcFirst('MyGroup')).toBe('myGroup')
})
