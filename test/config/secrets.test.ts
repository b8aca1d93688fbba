import { afterAll, describe, expect, test } from 'bun:test'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { helpText } from '../../lib/config/index.ts'
import { metadataOf, settingKeys } from '../../lib/config/settings.ts'
import { faultsOf as faultsOfInput, read, required, settingsOf } from '../support/config/read.ts'

const directory = mkdtempSync(join(tmpdir(), 'latchkey-secrets-'))
afterAll(() => rmSync(directory, { recursive: true }))

function file(text: string): string {
  const path = join(directory, `secret-${Bun.randomUUIDv7()}`)
  writeFileSync(path, text)
  return path
}

function inputOf(environment: Record<string, string>, argv: string[] = [], envDirectories: string[] = []) {
  return { argv, environment: { ...required, ...environment }, envDirectories }
}

function tokenOf(...given: Parameters<typeof inputOf>): string | undefined {
  return settingsOf(inputOf(...given)).serverToken
}

function faultsOf(...given: Parameters<typeof inputOf>): string[] {
  return faultsOfInput(inputOf(...given))
}

describe('secrets', () => {
  test.each([
    ['a token', 'a token'],
    ['token\n', 'token'],
    ['token\r\n', 'token'],
    ['token\n\n', 'token'],
    ['\uFEFFtoken\r\n', 'token'],
  ])('the token is what the file holds, without line breaks at its end, when it is %j', (text, expected) => {
    // A space is no part of a token, but of what is read.
    if (expected.includes(' ')) expect(faultsOf({ SERVER_TOKEN_FILE: file(text) })).toHaveLength(1)
    else expect(tokenOf({ SERVER_TOKEN_FILE: file(text) })).toBe(expected)
  })

  test('the place of the token is kept when a shell does not know the token', () => {
    const path = file('SERVER_TOKEN=token\n')
    const placeOf = (...given: Parameters<typeof inputOf>) => settingsOf(inputOf(...given)).serverTokenPlace
    expect(placeOf({}, [`--env-file=${path}`])).toEqual({ where: path, isFile: false })
    expect(placeOf({}, ['--server-token=token'])).toEqual({ where: '--server-token', isFile: false })
    expect(placeOf({ SERVER_TOKEN_FILE: path })).toEqual({ where: path, isFile: true })
    expect(placeOf({ SERVER_TOKEN: 'token' })).toBeUndefined()
    expect(placeOf({})).toBeUndefined()
  })

  test('the file is named by flag or env file when it is there', () => {
    const path = file('token\n')
    expect(tokenOf({}, [`--server-token-file=${path}`])).toBe('token')
    const envDirectory = mkdtempSync(join(directory, 'env-'))
    writeFileSync(join(envDirectory, '.env'), `SERVER_TOKEN_FILE=${path}\n`)
    expect(tokenOf({}, [], [envDirectory])).toBe('token')
  })

  test('value and file together are a fault, from different sources too', () => {
    const path = file('from file')
    const both = 'SERVER_TOKEN_FILE (environment): SERVER_TOKEN (environment) is given too; leave one of them out'
    expect(faultsOf({ SERVER_TOKEN: 'plain', SERVER_TOKEN_FILE: path })).toEqual([both])
    const [fault] = faultsOf({ SERVER_TOKEN_FILE: path }, ['--server-token=plain'])
    expect(fault).toBe('SERVER_TOKEN_FILE (environment): SERVER_TOKEN (flag) is given too; leave one of them out')
  })

  test.each([
    ['does not exist', () => join(directory, 'absent'), 'the file cannot be read: there is no such file (ENOENT)'],
    ['is a directory', () => directory, 'the file cannot be read: it is a directory (EISDIR)'],
    ['is empty', () => file(''), 'the file is empty'],
    ['has line breaks only', () => file('\n\n'), 'the file is empty'],
    ['is huge', () => file('x'.repeat(100_000)), 'the file cannot be read: it is longer than 65536 bytes'],
  ])('a fault names the file when it %s', (_, path, found) => {
    const name = path()
    expect(faultsOf({ SERVER_TOKEN_FILE: name })).toEqual([`SERVER_TOKEN_FILE="${name}" (environment): ${found}`])
  })

  test.each([
    ['with a space', 'geheim nis'],
    ['with a control character', 'geheim\u0007nis'],
    ['beyond ASCII', 'geheimniß'],
    ['too long', 'geheimnis'.repeat(1000)],
  ])('a token %s is refused without being shown', (_, token) => {
    const [fault] = faultsOf({ SERVER_TOKEN: token })
    expect(fault).toStartWith('SERVER_TOKEN (environment): it must be 1 to 4096 printable ASCII characters')
    expect(fault).not.toContain('geheim')
    const path = file(token)
    const [fileFault] = faultsOf({ SERVER_TOKEN_FILE: path })
    expect(fileFault).toStartWith(`SERVER_TOKEN (${path}): it must be`)
    expect(fileFault).not.toContain('geheim')
  })

  test('a secret on the command line causes a notice that does not show it', () => {
    const command = read(inputOf({}, ['--server-token', 'geheimnis']))
    const notice =
      '--server-token can be read by every user of this machine in the list of processes; use SERVER_TOKEN_FILE'
    expect('notices' in command && command.notices).toEqual([notice])
  })

  test('a misspelt file variable causes a notice', () => {
    const command = read(inputOf({ SERVER_TOKEN_FIEL: 'x' }))
    expect('notices' in command && command.notices).toEqual([
      'SERVER_TOKEN_FIEL in the environment is not a setting: did you mean SERVER_TOKEN_FILE?',
    ])
  })

  test('help names the file variable when a setting holds a secret', () => {
    const secrets = settingKeys.map(metadataOf).filter(({ isSecret }) => isSecret)
    expect(secrets.map(({ variable }) => variable)).toContain('SERVER_TOKEN')
    for (const { variable } of secrets) expect(helpText({ topic: 'all' })).toContain(`${variable}_FILE`)
  })
})
