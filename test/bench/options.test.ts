import { expect, test } from 'bun:test'
import { help, optionsOf } from './options.ts'

test('without arguments all contenders and scenarios run, at the full size', () => {
  const options = optionsOf([])
  expect(options).toMatchObject({ records: 1_000_000, partitions: 4, valueBytes: 170, rounds: 3, check: false })
  expect(options.only).toEqual(['latchkey', 'streex', 'streams', 'kafkajs'])
})

test('--quick makes fewer of the rounds, seconds and scenarios that are not given', () => {
  expect(optionsOf(['--quick', '--seconds', '7'])).toMatchObject({ records: 1_000_000, seconds: 7, rounds: 1 })
  expect(optionsOf(['--quick']).scenarios).toEqual(['start', 'peers', 'beside', 'freshness'])
  expect(optionsOf(['--quick', '--scenario', 'endless']).scenarios).toEqual(['endless'])
})

test('--only and --scenario select, and an unknown name is refused with the known ones', () => {
  expect(optionsOf(['--only', 'latchkey,streex', '--scenario', 'start'])).toMatchObject({
    only: ['latchkey', 'streex'],
    scenarios: ['start'],
  })
  expect(() => optionsOf(['--only', 'redis'])).toThrow('--only redis: expected some of latchkey,streex,streams,kafkajs')
})

test.each(['0', '-1', '1.5', 'many'])('--records %s is refused', (records) => {
  expect(() => optionsOf([`--records=${records}`])).toThrow('a whole number above 0 is expected')
})

test('an unknown option is refused, and help names all options', () => {
  expect(() => optionsOf(['--fast'])).toThrow("Unknown option '--fast'")
  expect(help.split('\n')).toHaveLength(14)
  expect(help).toContain('--records          records of the topic (1000000)')
})
