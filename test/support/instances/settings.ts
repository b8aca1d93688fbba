/** The settings of a store from their text, as the executable reads them: what it would refuse no test can use. */
import { readCommand, type Settings } from '../../../lib/config/index.ts'

export function settingsFrom(environment: Readonly<Record<string, string>>): Settings {
  const command = readCommand({ argv: [], environment, envDirectories: [] })
  if (command.action !== 'run') throw new Error(`reading settings of a test: the action is ${command.action}`)
  return command.settings
}
