/** What a program may do wrong, and what is left alone of it. */
import { describe, expect, test } from 'bun:test'
import { join } from 'node:path'
import { type LatchkeyError, openStore } from '../../lib/index.ts'
import { definition as unexported } from '../support/library/no-default.ts'
import { Program } from '../support/library/program.ts'
import { until } from '../support/until.ts'

const support = join(import.meta.dir, '../support/library')
const options = { sourceTopic: 'orders', kafkaBrokers: '127.0.0.1:1' }

async function failureOf(open: () => ReturnType<typeof openStore>): Promise<LatchkeyError> {
  await using store = open()
  return store.failed
}

describe('a definition', () => {
  test('whose module opens the store itself is reported with the advice to use a separate module', async () => {
    await using program = new Program('opens-itself.ts', support, {})
    expect(await program.ended()).toBe(0)
    expect(program.stdout).toStartWith('invalid_settings: ')
    expect(program.stdout).toContain('put the definition into a separate module and export it as default')
  })

  test('that its module does not export as default fails the store, naming the module', async () => {
    const failure = await failureOf(() => openStore(options, unexported) as never)
    expect(failure.code).toBe('invalid_settings')
    expect(failure.message).toContain('no-default.ts')
    expect(failure.message).toContain('default')
  })

  test('without a module is refused at once', () => {
    const { module: _, ...homeless } = unexported
    expect(() => openStore(options, homeless)).toThrow('Opening a store: the definition has no module')
    expect(() => openStore(options, { ...homeless, module: 'https://example.org/a.ts' })).toThrow(
      'which is not a file URL',
    )
  })

  test('excludes formats in the options', () => {
    expect(() => openStore({ ...options, valueFormat: 'json' }, unexported)).toThrow(
      'valueFormat: it has no effect, because the definition determines the formats',
    )
  })
})

describe('a store that has failed', () => {
  test('does not keep a program from ending', async () => {
    await using program = new Program('gives-up.ts', support, {})
    expect(await program.ended()).toBe(0)
    expect(program.stdout).toBe('invalid_settings\n')
  })
})

describe('the log', () => {
  test('goes to stderr, warnings only, when LogTape is not configured', async () => {
    await using program = new Program('logs.ts', support, {})
    await until('it warns', () => program.stderr.includes(' warning '))
    expect(await program.stop()).toBe(0)
    expect(program.stderr).not.toContain(' info ')
    expect(program.stdout).toBe('configured as before\n')
  })

  test('goes to the program’s LogTape configuration, without changing it', async () => {
    await using program = new Program('logs.ts', support, {}, ['configured'])
    await program.printed(/given a record of latchkey\.kafka/)
    expect(await program.stop()).toBe(0)
    expect(program.stdout).toEndWith('configured as before\n')
    expect(program.stderr).toBe('')
  })
})
