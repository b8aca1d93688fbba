import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { run, tail } from './run.ts'

/**
 * Apache Kafka's own jars, fetched once by Maven into a git-ignored folder of the repository. Several test runs may ask at once: each
 * fetches into a folder of its own and the first to finish gives it the final name.
 */
const repository = resolve(import.meta.dir, '../..')
const pom = join(import.meta.dir, 'pom.xml')
const downloadTimeoutMs = 600_000
const javaVersionMin = 17

/** Another folder for other jars. */
const digest = createHash('sha256').update(readFileSync(pom)).digest('hex').slice(0, 12)
const folder = join(repository, '.kafka', digest)

export interface Jars {
  classPath: string
  java: string
}

let jars: Promise<Jars> | undefined

/** The jars, fetched if need be. Rejects with what to install where Java or Maven is missing. */
export function kafkaJars(): Promise<Jars> {
  jars ??= findJars()
  return jars
}

async function findJars(): Promise<Jars> {
  const java = await findJava()
  const libs = join(folder, 'libs')
  if (!areFetched()) await download()
  // Sorted: what is loaded does not depend on the order of a directory.
  const paths = readdirSync(libs)
    .toSorted()
    .map((name) => join(libs, name))
  return { classPath: paths.join(':'), java }
}

/** Whether an earlier run has fetched them. */
export function areFetched(): boolean {
  return existsSync(folder)
}

async function findJava(): Promise<string> {
  const home = process.env['JAVA_HOME']
  const java = home && existsSync(join(home, 'bin/java')) ? join(home, 'bin/java') : 'java'
  const { stderr, exitCode } = await run([java, '-version'], 30_000).catch(() => ({
    stderr: '',
    exitCode: -1,
  }))
  const version = Number(/version "(\d+)/.exec(stderr)?.[1] ?? 0)
  if (exitCode !== 0 || version < javaVersionMin) {
    throw new Error(
      `start Kafka: Java ${javaVersionMin} or newer is needed, found ${version || 'none that runs'}. ` +
        'Install a JDK or JRE (or set JAVA_HOME), or run a Docker daemon, or set KAFKA_BROKERS to a broker that runs.',
    )
  }
  return java
}

async function download(): Promise<void> {
  mkdirSync(join(folder, '..'), { recursive: true })
  const draft = mkdtempSync(`${folder}.draft-`)
  console.error("Fetching Apache Kafka's jars through Maven (once)…")
  try {
    const command = [
      'mvn',
      '-B',
      '-q',
      '-f',
      pom,
      'dependency:copy-dependencies',
      `-DoutputDirectory=${join(draft, 'libs')}`,
    ]
    const { stdout, stderr, exitCode } = await run(command, downloadTimeoutMs).catch((error: Error) => {
      throw new Error(
        `fetch Kafka's jars: ${error.message}. Install Maven, or run a Docker daemon, or set KAFKA_BROKERS to a broker that runs.`,
        { cause: error },
      )
    })
    if (exitCode !== 0) throw new Error(`fetch Kafka's jars: mvn ended with ${exitCode}\n${tail(stdout + stderr)}`)
    renameSync(draft, folder)
  } catch (error) {
    rmSync(draft, { recursive: true, force: true })
    if (!existsSync(folder)) throw error // otherwise another run was first
  }
}
