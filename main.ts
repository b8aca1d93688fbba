/** The executable: settings, log, store, HTTP, until a signal or a failure ends it. Nothing else looks at arguments or environment. */
import { constants } from 'node:os'
import { dirname } from 'node:path'
import { helpText, readCommand, type Settings } from './lib/config.ts'
import { LatchkeyError, messageOf } from './lib/errors.ts'
import { lookupUrl } from './lib/http/lookup-url.ts'
import { type HttpServer, serve } from './lib/http/serve.ts'
import { configureLogging, loggerOf } from './lib/log.ts'
import { checkTopics } from './lib/store/check.ts'
import { showProgress } from './lib/store/progress-display.ts'
import { openStore, type Store } from './lib/store/store.ts'
import packageJson from './package.json' with { type: 'json' }

const drainTimeoutMs = 5_000
const closeTimeoutMs = 20_000
const samplePollMs = 250

/** Resolves with the exit code. */
async function main(): Promise<number> {
  const isCompiled = /^(\/\$bunfs|[A-Z]:[\\/]~BUN)/.test(import.meta.path)
  const command = readCommand({
    argv: process.argv.slice(2),
    environment: process.env,
    envDirectories: [process.cwd(), isCompiled ? dirname(process.execPath) : import.meta.dir],
  })
  if (command.action === 'help') {
    console.log(helpText(process.stdout.isTTY && !process.env['NO_COLOR']))
    return 0
  }
  if (command.action === 'version') {
    console.log(`latchkey ${packageJson.version}`)
    return 0
  }
  const { action, settings, notices } = command
  configureLogging({ level: settings.logLevel, structured: settings.structuredLogging })
  for (const notice of notices) loggerOf('main').warn('{notice}', { notice })
  if (action === 'run') return run(settings)
  for (const line of await checkTopics(settings)) console.log(line)
  return 0
}

async function run(settings: Settings): Promise<number> {
  const ended = signalled()
  const store = openStore(settings, { level: settings.logLevel, structured: settings.structuredLogging })
  // If the port is taken, this throws and ends the process before the store's thread has said a word to Kafka.
  const server = serve(store, { bind: settings.serverBind, port: settings.serverPort, version: packageJson.version })
  showProgress(store, process.stderr, settings.structuredLogging)
  const sampleTimer = printBanner(settings, store, server)
  const failure = await Promise.race([store.failed, ended])
  clearInterval(sampleTimer)
  if (failure) console.error(`latchkey: store ${store.id} has failed: ${failure.message}`)
  await server.stop(drainTimeoutMs)
  const isClosed = await Promise.race([store.close().then(() => true), Bun.sleep(closeTimeoutMs).then(() => false)])
  if (!isClosed) throw new Error(`Closing store ${store.id}: not done within ${closeTimeoutMs / 1000} s`)
  return failure ? exitCodeOf(failure) : 0
}

/** Resolves at the first SIGINT or SIGTERM; a second one ends the process at once. */
function signalled(): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  let isStopping = false
  const stop = (name: 'SIGINT' | 'SIGTERM') => {
    if (isStopping) process.exit(128 + constants.signals[name])
    isStopping = true
    loggerOf('main').info('{name}: finishing what is under way', { name })
    resolve()
  }
  process.on('SIGINT', stop)
  process.on('SIGTERM', stop)
  return promise
}

/** URLs to open at once, and a lookup that finds something as soon as there is something to find. */
function printBanner({ sourceTopic }: Settings, store: Store, { url }: HttpServer): Timer {
  console.log(`Latchkey ${packageJson.version}: store ${store.id} of topic ${sourceTopic}`)
  console.log(`  ${url}/`)
  console.log(`  curl ${url}/status-store/${store.id}`)
  const timer = setInterval(() => {
    const key = store.state === 'running' ? store.sampleKey() : undefined
    if (key === undefined) return
    clearInterval(timer)
    console.log(`  curl '${lookupUrl(url, store.id, key)}'`)
  }, samplePollMs)
  return timer
}

/** 2 is for whoever starts it to put right, 1 may pass. */
function exitCodeOf(thrown: unknown): number {
  return thrown instanceof LatchkeyError && thrown.code === 'invalid_settings' ? 2 : 1
}

function end(thrown: unknown): never {
  console.error(`latchkey: ${messageOf(thrown)}`)
  if (thrown instanceof LatchkeyError && thrown.code === 'invalid_settings') console.error('See latchkey --help.')
  process.exit(exitCodeOf(thrown))
}

process.on('uncaughtException', end)
process.on('unhandledRejection', end)
main().then((exitCode) => process.exit(exitCode), end)
