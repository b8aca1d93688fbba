/** Settings from a test's input, and their reported faults. */
import { expect } from 'bun:test'
import { type Command, type ConfigInput, readCommand, type Settings } from '../../../lib/config/index.ts'
import { LatchkeyError } from '../../../lib/errors.ts'

export const required = { SOURCE_TOPIC: 'orders', KAFKA_BROKERS: 'kafka' }

export function read(input: Partial<ConfigInput>): Command {
  return readCommand({ argv: [], environment: {}, envDirectories: [], ...input })
}

/** Throws where they ask for something else than to run or to be checked. */
export function accepted(input: Partial<ConfigInput>): Extract<Command, { settings: Settings }> {
  const command = read(input)
  if (!('settings' in command)) throw new Error(`No settings: ${command.action}`)
  return command
}

export function settingsOf(input: Partial<ConfigInput>): Settings {
  return accepted(input).settings
}

/** Throws where there is none. */
export function faultsOf(input: Partial<ConfigInput>): string[] {
  try {
    read(input)
  } catch (error) {
    expect(error).toBeInstanceOf(LatchkeyError)
    expect((error as LatchkeyError).code).toBe('invalid_settings')
    const { faults } = (error as LatchkeyError).details as { faults: string[] }
    for (const fault of faults) expect((error as LatchkeyError).message).toContain(fault)
    // For every missing setting, an example shows how it is given.
    for (const fault of faults.filter((one) => / is missing: /.test(one))) {
      expect(fault).toMatch(/, for example [A-Z_]+=\S+$|: did you mean [A-Z_]+\?$/)
    }
    return faults
  }
  throw new Error('Settings were accepted')
}
