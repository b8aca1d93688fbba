import { expect, test } from 'bun:test'
import { help, optionsOf } from './options.ts'

test('rows and options are read', () => {
  const given = ['1', '3', '--times', '5', '--manual', '--set', 'STANDBYS=2', '--set', 'ROUTING=none']
  expect(optionsOf(given)).toMatchObject({
    rows: [1, 3],
    times: 5,
    isManual: true,
    settings: { STANDBYS: '2', ROUTING: 'none' },
  })
})

test('help names every option', () => {
  expect(optionsOf(['--help'])).toBe('help')
  for (const name of ['times', 'keys', 'minutes', 'executable', 'set']) expect(help).toContain(`--${name}`)
})

test.each([
  [['1', '--times', 'often'], 'times often: a number above 0 is needed'],
  [['first'], 'row first: a number is needed'],
  [['1', '--set', 'STANDBYS'], '--set STANDBYS: NAME=value is needed'],
])('%p is refused', (args, message) => {
  expect(() => optionsOf(args)).toThrow(message)
})
