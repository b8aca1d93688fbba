import { describe, expect, test } from 'bun:test'
import { helpTopics } from '../../lib/config/help.ts'
import { helpHint, helpText } from '../../lib/config/index.ts'
import { flagOf, metadataOf, settingAreas, settingKeys, settingKeysOf } from '../../lib/config/settings.ts'

/** As if no line had been broken. */
function unwrapped(text: string): string {
  return text.replaceAll(/\s+/g, ' ')
}

describe('helpText', () => {
  test('the first page fits a screen of 80 columns and 40 lines', () => {
    const lines = helpText().trimEnd().split('\n')
    expect(lines.length).toBeLessThanOrEqual(40)
    expect(lines.filter((line) => line.length > 80)).toEqual([])
  })

  test('the first page has usage, required settings, options, exit codes and the way to the rest', () => {
    const text = unwrapped(helpText())
    for (const part of [
      'latchkey --source-topic orders --kafka-brokers localhost:9092',
      'SOURCE_TOPIC',
      'KAFKA_BROKERS',
      '--check',
      '--env-file PATH',
      '--version, -v',
      'Exit codes 0 ended by SIGTERM or SIGINT; 1 failed while running; 2 wrong settings',
      `--help [TOPIC] Settings in full: ${helpTopics.join(', ')}`,
    ]) {
      expect(text).toContain(part)
    }
  })

  test.each(settingKeys.map((key) => metadataOf(key)).filter(({ brief }) => brief !== undefined))(
    'the line of $variable on the first page is not broken',
    ({ brief }) => expect(helpText()).toContain(` ${brief}\n`),
  )

  test('--help --help all has flag, variable, default and meaning of every setting', () => {
    const text = unwrapped(helpText({ topic: 'all' }))
    for (const key of settingKeys) {
      const { variable, meaning, allowed, default: defaultText } = metadataOf(key)
      expect(text).toContain(flagOf(variable))
      expect(text).toContain(`, ${variable} ${meaning}`)
      expect(text).toContain(`Allowed: ${allowed}`)
      if (defaultText) expect(text).toContain(`Default: ${defaultText}`)
    }
  })

  test('every setting belongs to one area, and the help of an area has only its settings', () => {
    expect(settingAreas.flatMap(settingKeysOf).toSorted()).toEqual(settingKeys.toSorted())
    for (const area of settingAreas) {
      const text = helpText({ topic: area })
      const shown = settingKeys.filter((key) => text.includes(`, ${metadataOf(key).variable}\n`))
      expect(shown.toSorted()).toEqual(settingKeysOf(area).toSorted())
    }
  })

  test.each([60, 80, 100])('no line is longer than a terminal of %p columns, where its words are not', (columns) => {
    const long = helpText({ topic: 'all', columns })
      .split('\n')
      .filter((line) => line.length > columns && line.trim().includes(' '))
    expect(long).toEqual([])
  })

  test('it has escapes only when color is wanted', () => {
    expect(helpText({ topic: 'all' })).not.toContain('\u001b')
    expect(helpText({ color: true })).toContain('\u001b[1mUsage')
  })
})

test.each([
  [['get'], 'See latchkey --help commands.'],
  [['print', 'x'], 'See latchkey --help commands.'],
  [['check'], 'See latchkey --help.'],
  [[], 'See latchkey --help.'],
])('an error of %p names the page of --help that has it', (argv, hint) => expect(helpHint(argv)).toBe(hint))
