/**
 * Runs settings, log, store and HTTP until a signal or failure. Only this file reads arguments and environment; ahead.ts
 * looks at the arguments before.
 */
import './lib/server/ahead.ts'
import { dirname } from 'node:path'
import { printOwn, runClientCommand } from './lib/cli/index.ts'
import { type ConfigInput, helpHint, isStructured, readCommand } from './lib/config/index.ts'
import { definitionOf, describeUncaught, isCompiled } from './lib/definition/index.ts'
import { isInstance, LatchkeyError, messageOf } from './lib/errors.ts'
import { configureLogging, logFatal, writePending } from './lib/log/index.ts'
import { check } from './lib/server/check.ts'
import { informationOf } from './lib/server/information.ts'
import { serverNotices, serverOptionsOf } from './lib/server/notices.ts'
import { loggingOf, printerOf } from './lib/server/output.ts'
import { Reload } from './lib/server/reload.ts'
import { runStore } from './lib/server/run-store.ts'
import { version } from './package.json' with { type: 'json' }

const input: ConfigInput = {
  argv: process.argv.slice(2),
  environment: process.env,
  envDirectories: [process.cwd(), isCompiled ? dirname(process.execPath) : import.meta.dir],
}

/** Resolves with the exit code. */
async function main(): Promise<number> {
  const command = readCommand(input)
  if (command.action === 'ask') return runClientCommand(command.name, input)
  if (!('settings' in command)) {
    await printOwn(informationOf(command, version, process.env))
    return 0
  }
  const { action, settings, notices, texts, effective } = command
  const reload = action === 'run' ? new Reload(input, settings, texts) : undefined
  const logging = loggingOf(settings, process.env['TERM'])
  configureLogging(logging)
  const http = serverOptionsOf(settings)
  const allNotices = [...notices, ...serverNotices(http, undefined, action === 'run')]
  const definition = await definitionOf(settings)
  if (reload) {
    const notifySocket = process.env['NOTIFY_SOCKET']
    const run = { settings, effective, logging, definition, http, notices: allNotices, reload, notifySocket, version }
    const failure = await runStore(run)
    return failure ? exitCodeOf(failure) : 0
  }
  const { lines, faults } = await check(settings, definition, http, allNotices)
  lines.forEach(printerOf(logging))
  for (const fault of faults) logFatal(messageOf(fault), settings.structuredLogging)
  return Math.max(0, ...faults.map(exitCodeOf))
}

/** Returns 2 for an error that the operator has to correct, 1 for an error that may be temporary. */
function exitCodeOf(thrown: unknown): number {
  return isInstance(thrown, LatchkeyError) && thrown.code === 'invalid_settings' ? 2 : 1
}

function end(thrown: unknown): never {
  const exitCode = exitCodeOf(thrown)
  logFatal(describeUncaught(thrown), isStructured(input), exitCode === 2 ? helpHint(input.argv) : undefined)
  process.exit(exitCode)
}

process.on('exit', writePending)
for (const event of ['uncaughtException', 'unhandledRejection']) process.on(event, end)
main().then((exitCode) => process.exit(exitCode), end)
