import { expect, test } from 'bun:test'
import { takesEscapeCodes } from '../../lib/server/output.ts'

test('escape codes are printed only to a terminal that is not dumb', () => {
  expect(takesEscapeCodes({ isTTY: true }, 'xterm-256color')).toBe(true)
  expect(takesEscapeCodes({ isTTY: true }, undefined)).toBe(true)
  expect(takesEscapeCodes({ isTTY: true }, 'dumb')).toBe(false)
  expect(takesEscapeCodes({}, 'xterm-256color')).toBe(false)
})
