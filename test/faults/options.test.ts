import { expect, test } from 'bun:test'
import { faultNames } from './fault-names.ts'
import { help, optionsOf } from './options.ts'

test('options are those of a run of thirty minutes with every fault when none is given', () => {
  expect(optionsOf([])).toMatchObject({ minutes: 30, faults: faultNames, plant: undefined })
})

test('options are taken when they are given, and help is shown when it is asked for', () => {
  expect(optionsOf(['--minutes', '0.5', '--seed', '7', '--faults', 'store-kill,move'])).toMatchObject({
    minutes: 0.5,
    seed: 7,
    faults: ['store-kill', 'move'],
  })
  expect(optionsOf(['--help'])).toBe('help')
  for (const name of ['--minutes', '--seed', ...faultNames]) expect(help).toContain(name)
})

test('options are refused when they are unknown or no number', () => {
  expect(() => optionsOf(['--minutes', 'many'])).toThrow('--minutes many: a number above 0 is needed')
  expect(() => optionsOf(['--faults', 'flood'])).toThrow('--faults flood: unknown fault; use broker-kill')
  expect(() => optionsOf(['--records', '1'])).toThrow('--records')
})
