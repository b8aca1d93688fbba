import { expect, test } from 'bun:test'
import { halfSipHash13 } from '../../../lib/map/memory/half-sip-hash.ts'

// By length of the message 00 01 02 …, key 00 01 … 07: the vectors of Linux's siphash test for 32-bit words.
const vectors = new Map([
  [0, 0x5814c896],
  [1, 0xe7e864ca],
  [2, 0xbc4b0e30],
  [3, 0x01539939],
  [4, 0x7e059ea6],
  [5, 0x88e3d89b],
  [6, 0xa0080b65],
  [7, 0x9d38d9d6],
  [8, 0x577999b1],
  [11, 0x959246ee],
  [15, 0xd0257b04],
  [16, 0x8b31d501],
  [32, 0xbc6dda8d],
  [63, 0x87178304],
])

test('half SipHash agrees with the reference vectors at every start', () => {
  for (const [length, expected] of vectors) {
    for (const start of [0, 1, 2, 3]) {
      const bytes = new Uint8Array(start + length + 1).fill(0xff)
      for (let i = 0; i < length; i++) bytes[start + i] = i
      expect([length, halfSipHash13(0x03020100, 0x07060504, bytes, start, length) >>> 0]).toEqual([length, expected])
    }
  }
})

test('half SipHash gives other hashes when the seed differs', () => {
  const key = Buffer.from('some key')
  const hashes = new Set([0, 1, 2, 3].map((seed) => halfSipHash13(seed, 0, key, 0, key.length)))
  expect(hashes.size).toBe(4)
})
