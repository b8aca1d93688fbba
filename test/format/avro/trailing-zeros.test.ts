import { expect, test } from 'bun:test'
import { avroCodecOfTexts } from '../../../lib/format/avro.ts'
import { withoutTrailingZeros } from '../../../lib/format/avro/trailing-zeros.ts'

test.each([
  ['', ''],
  ['0', ''],
  ['000', ''],
  ['10', '1'],
  ['0100', '01'],
  ['001', '001'],
])('%j without its zeros is %j', (digits, expected) => {
  expect(withoutTrailingZeros(digits)).toBe(expected)
})

test('zeros after the digits that a decimal or a time has are no fault', () => {
  const decimal = avroCodecOfTexts([JSON.stringify({ type: 'bytes', logicalType: 'decimal', precision: 4, scale: 2 })])
  expect(decimal.fromText('12.3000')).toBe('12.30')
  const time = avroCodecOfTexts([JSON.stringify({ type: 'int', logicalType: 'time-millis' })])
  expect(time.fromText('17:36:00.120000')).toBe('17:36:00.120')
})
