/** Runs settings, log, store and HTTP until a signal or failure. Only this file reads arguments and environment. */
import { dirname } from 'node:path'
import { printOwn, runClientCommand } from './lib/cli/index.ts'
import { type Command, type ConfigInput, helpHint, isStructured, readCommand } from './lib/config/index.ts'
import { deadline } from './lib/deadline.ts'
import { type Definition, definitionOf, describeUncaught, isCompiled } from './lib/definition/index.ts'
import { isInstance, LatchkeyError, messageOf } from './lib/errors.ts'
import { configureLogging, logFatal, loggerOf, warnEach, writePending } from './lib/log/index.ts'
import { printBanner } from './lib/server/banner.ts'
import { renewOnHangup } from './lib/server/certificate-renewal.ts'
import { check } from './lib/server/check.ts'
import { informationOf } from './lib/server/information.ts'
import { serverNotices, type ServerOptions, serverOptionsOf } from './lib/server/notices.ts'
import { loggingOf, printerOf } from './lib/server/output.ts'
import { openShared, startServer } from './lib/server/server.ts'
import { reportToServiceManager } from './lib/server/service-manager.ts'
import { signalled } from './lib/server/signals.ts'
import type { StoreLogging } from './lib/store-protocol/thread-messages.ts'
import { showProgress } from './lib/store/progress-display.ts'
import { version } from './package.json' with { type: 'json' }

const drainTimeoutMs = 5_000
const closeTimeoutMs = 20_000

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
  const { action, settings, notices } = command
  const logging = loggingOf(settings, process.env['TERM'])
  configureLogging(logging)
  const http = serverOptionsOf(settings)
  const allNotices = [...notices, ...serverNotices(http, undefined, action === 'run')]
  const definition = await definitionOf(settings)
  if (action === 'run') return run(command, logging, definition, http, allNotices)
  const { lines, faults } = await check(settings, definition, http, allNotices)
  lines.forEach(printerOf(logging))
  for (const fault of faults) logFatal(messageOf(fault), settings.structuredLogging)
  return Math.max(0, ...faults.map(exitCodeOf))
}

async function run(
  { settings, effective }: Extract<Command, { settings: unknown }>,
  logging: StoreLogging,
  definition: Definition,
  http: ServerOptions,
  notices: readonly string[],
) {
  const { serverToken: _, serverTokenPlace: tokenPlace, serverTls, httpThreads: readerThreads, ...kept } = settings
  const config = { ...kept, readerThreads }
  const ended = signalled()
  const shared = openShared(config, logging, definition)
  const { store } = shared
  // If the port is taken, this throws and ends the process before the store thread contacts Kafka.
  const server = startServer(shared, http, version, effective)
  renewOnHangup(server, serverTls)
  const topic = settings.sourceTopic || settings.changelogTopic
  const { url, respPort } = server
  const banner = { version, topic, url, respPort, hasToken: http.token !== undefined, tokenPlace }
  const ends = [
    showProgress(store, process.stderr, logging.clearsLine === true && !logging.structured),
    printBanner(store, banner, printerOf(logging)),
    reportToServiceManager(store, process.env['NOTIFY_SOCKET']),
  ]
  warnEach('main', notices)
  const failure = await Promise.race([store.failed, server.failed, ended])
  for (const endOne of ends) endOne()
  if (failure) logFatal(`store ${store.id} has failed: ${failure.message}`, settings.structuredLogging)
  await server.stop(drainTimeoutMs)
  const isLate = await deadline(store.close(), closeTimeoutMs, () => true)
  if (isLate === true) throw new Error(`Closing store ${store.id}: not done within ${closeTimeoutMs / 1000} s`)
  if (!failure) loggerOf('main').info('Stopped: all connections and store {store} are closed', { store: store.id })
  return failure ? exitCodeOf(failure) : 0
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
