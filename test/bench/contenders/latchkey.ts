import { mkdirSync } from 'node:fs'
import { resolve } from 'node:path'
import packageJson from '../../../package.json' with { type: 'json' }
import { run, tail } from '../../support/process/run.ts'
import { buildFolder, root } from '../build-folder.ts'
import type { Contender } from './contender.ts'
import { launch } from './store-process.ts'

const buildTimeoutMs = 120_000

/** @param binary an executable that is there already, to hold one version against another */
export async function latchkey(binary: string | undefined): Promise<Contender> {
  const path = binary === undefined ? await buildExecutable() : resolve(binary)
  return {
    name: 'Latchkey',
    terms: 'its executable, default settings: acks=all, idempotent, fenced',
    ingestShare: 1,
    givenChangelog: false,
    flushes: true,
    changelogOf: (id) => `${id}-changelog`,
    start({ id, bootstrap, source, flush, environment }) {
      const settings = { SOURCE_TOPIC: source, KAFKA_BROKERS: bootstrap, STORE_ID: id, SERVER_BIND: '127.0.0.1' }
      const fastest = flush === 'fastest' && { AUTO_FLUSH_COUNT: '1', AUTO_FLUSH_SECONDS: '0.001' }
      return launch({
        id,
        command: () => [path],
        env: (port) => ({ ...settings, ...fastest, ...environment, SERVER_PORT: String(port) }),
        recovery: /Recovered .* in ([\d.]+) (s|ms)/,
      })
    },
  }
}

/** As `bun run build` does, but not over what stands in dist/, which may be in use. */
async function buildExecutable(): Promise<string> {
  const path = buildFolder('latchkey')
  mkdirSync(buildFolder(), { recursive: true })
  const build = packageJson.scripts.build.replace('dist/latchkey', path).replace(/ bun /, ` '${process.execPath}' `)
  const { stdout, stderr, exitCode } = await run(['sh', '-c', `cd '${root}' && ${build}`], buildTimeoutMs)
  if (exitCode !== 0) throw new Error(`building the executable: ${tail(stdout + stderr)}`)
  return path
}
