import { expect, test } from 'bun:test'
import { framesOf } from '../../lib/definition/call-site.ts'

const frame = { file: '/modules/my (own)/orders.ts', line: 14, column: 7 }

test.each([
  ['    at total (/modules/orders.ts:14:7)', { ...frame, file: '/modules/orders.ts' }],
  ['    at total (file:///modules/orders.ts:14:7)', { ...frame, file: '/modules/orders.ts' }],
  ['at /modules/my (own)/orders.ts:14:7', frame],
  ['    at file:///modules/my (own)/orders.ts:14:7', frame],
  ['    at new Total (/modules/my (own)/orders.ts:14:7)', frame],
  ['    at async <anonymous> (/a:1:2/b.ts:14:7)', { ...frame, file: '/a:1:2/b.ts' }],
])('%s is a frame', (line, expected) => {
  expect(framesOf(`Error: of /no/such.ts:1:2\n${line}\n`)).toEqual([expected])
})

test.each([
  '    at map (native:1:11)',
  '    at total (/$bunfs/root/latchkey:14:7)',
  '    at total (/modules/orders.ts)',
  '    at total (/modules/orders.ts:14)',
  'total (/modules/orders.ts:14:7)',
  '    at :1:2',
])('%s is not a frame', (line) => {
  expect(framesOf(line)).toEqual([])
})
