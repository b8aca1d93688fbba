import { expect, test } from 'bun:test'
import { type EffectiveSetting, readCommand } from '../../lib/config/index.ts'
import { metadataOf, settingKeys } from '../../lib/config/settings.ts'

function linesOf(environment: Record<string, string>, ...argv: string[]): string[] {
  const command = readCommand({ argv: ['--print-settings', ...argv], environment, envDirectories: [] })
  return command.action === 'print-settings' ? [...command.lines] : []
}

function settingsOf(environment: Record<string, string>, ...argv: string[]): readonly EffectiveSetting[] {
  const command = readCommand({ argv, environment, envDirectories: [] })
  return 'effective' in command ? command.effective : []
}

const required = { SOURCE_TOPIC: 'orders', KAFKA_BROKERS: 'a:9092' }

test('every setting is there once, with its value and where that comes from', () => {
  const lines = linesOf({ ...required, LOG_LEVEL: 'warn' }, '--server-port', '81', '--no-fencing')
  expect(lines.map((line) => /^(?:# )?([A-Z_]+)=/.exec(line)?.[1])).toEqual(
    settingKeys.map((key) => metadataOf(key).variable),
  )
  const shown = lines.map((line) => line.replace(/ +# /, '  # '))
  expect(shown).toContain('SOURCE_TOPIC=orders  # environment')
  expect(shown).toContain('SERVER_PORT=81  # flag')
  expect(shown).toContain('FENCING=false  # flag')
  expect(shown).toContain('LOG_LEVEL=warn  # environment')
  expect(shown).toContain('STORE_ID=orders  # default')
  expect(shown).toContain('CHANGELOG_TOPIC=orders-changelog  # default')
  expect(shown).toContain('SERVER_BIND=0.0.0.0  # default')
  expect(shown).toContain('# RESP_PORT=  # default: none: no Redis protocol')
})

test('a secret is only said to be set, and text that an env file would read otherwise is quoted', () => {
  const text = linesOf({ ...required, SERVER_TOKEN: 'hunter2', KAFKA_PROPERTIES: 'sasl.password=hunter3' }).join('\n')
  expect(text).toMatch(/^# SERVER_TOKEN=\(set\) +# environment$/m)
  expect(text).not.toContain('hunter')
  expect(linesOf({ ...required, SERVER_BIND: 'localhost' }).join('\n')).toContain('SERVER_BIND=localhost')
})

test('a start has the same settings, where a secret has no value', () => {
  const environment = { ...required, SERVER_TOKEN: 'hunter2', KAFKA_PROPERTIES: 'sasl.password=hunter3' }
  const settings = settingsOf(environment, '--server-port=81')
  expect(settings.map(({ name }) => name)).toEqual(settingKeys.map((key) => metadataOf(key).variable))
  const of = (name: string) => settings.find((setting) => setting.name === name)
  expect(of('SERVER_PORT')).toEqual({
    name: 'SERVER_PORT',
    value: '81',
    isSecret: false,
    isGiven: true,
    origin: 'flag',
  })
  expect(of('SERVER_TOKEN')).toMatchObject({ value: null, isSecret: true, isGiven: true, origin: 'environment' })
  expect(of('SCHEMA_REGISTRY_CREDENTIALS')).toMatchObject({ value: null, isSecret: true, isGiven: false })
  expect(of('STORE_ID')).toMatchObject({ value: 'orders', isGiven: false, origin: 'default' })
  expect(JSON.stringify(settings)).not.toContain('hunter')
})

test('what is printed, read as an env file, prints the same', () => {
  const environment = { ...required, SERVER_HOSTS: 'a.example, *.b.example', KEEP_HEADERS: 'trace-id, x-*' }
  const settings = linesOf(environment).filter((line) => !line.startsWith('#'))
  const again = Object.fromEntries(
    settings.map((line) => {
      const [, name = '', text = ''] = /^([A-Z_]+)=(".*"|\S*)/.exec(line) ?? []
      return [name, text.startsWith('"') ? (JSON.parse(text) as string) : text]
    }),
  )
  const withoutOrigin = (line: string) => line.replace(/ +# (environment|default).*/, '')
  expect(linesOf(again).map(withoutOrigin)).toEqual(linesOf(environment).map(withoutOrigin))
})

test('settings with faults are refused as for a start', () => {
  expect(() => linesOf({ SOURCE_TOPIC: 'orders' })).toThrow('KAFKA_BROKERS is missing')
})
