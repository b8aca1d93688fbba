import { join } from 'node:path'
import { run, tail } from '../../support/process/run.ts'
import { buildFolder, digestOf } from '../build-folder.ts'
import { type Contender, MissingToolchain } from './contender.ts'
import { launch } from './store-process.ts'

const sources = join(import.meta.dir, '../streex')
const buildTimeoutMs = 1_800_000
/** It waits for an acknowledgement per record and partition: the rate is measured with part of the records. */
const ingestShare = 0.05

export async function streex(): Promise<Contender> {
  const binary = await build()
  return {
    name: 'streex',
    terms: '0.1.12, release build with LTO; librdkafka defaults (acks=all, not idempotent), a pool of 1000 readers',
    ingestShare,
    givenChangelog: true,
    flushes: true,
    changelogOf: (id) => `${id}-changelog`,
    start({ id, bootstrap, source, flush }) {
      const settings = {
        STORE_ID: id,
        SOURCE_TOPIC: source,
        CHANGELOG_TOPIC: `${id}-changelog`,
        KAFKA_BROKERS: bootstrap,
        READER_POOL_SIZE: '1000',
        SERVER_BIND: '127.0.0.1',
        RUST_LOG: 'warn,streex=info',
        NO_COLOR: '1',
      }
      // Its shortest time is a second.
      const fastest = flush === 'fastest' && { AUTO_FLUSH_COUNT: '1' }
      return launch({
        id,
        command: () => [binary],
        env: (port) => ({ ...settings, ...fastest, SERVER_PORT: String(port) }),
        recovery: /Rebuilt from changelog in ([\d.]+)(ms|s)/,
      })
    },
  }
}

async function build(): Promise<string> {
  const files = ['Cargo.toml', 'Cargo.lock', 'src/main.rs'].map((name) => join(sources, name))
  const target = buildFolder(`streex-${digestOf(...files)}`)
  const binary = join(target, 'release/bench-streex')
  if (await Bun.file(binary).exists()) return binary
  console.error('Building streex (once; minutes)…')
  const command = ['cargo', 'build', '--release', '--locked', '--target-dir', target]
  const built = await run([...command, '--manifest-path', files[0]!], buildTimeoutMs).catch((error: Error) => {
    throw new MissingToolchain(`${error.message}; it needs Rust with cargo, and cmake, make and a C compiler`)
  })
  if (built.exitCode !== 0) throw new MissingToolchain(`cargo ended with ${built.exitCode}\n${tail(built.stderr)}`)
  return binary
}
