import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { run, tail } from '../../process/run.ts'

/**
 * Jars of others, fetched once by Maven into a git-ignored folder of the repository. Several test runs may ask at once: each
 * fetches into a separate folder, and the first to finish renames its own.
 */
const repository = resolve(import.meta.dir, '../../../..')
const kafkaPom = join(import.meta.dir, 'pom.xml')
const downloadTimeoutMs = 600_000
const javaVersionMin = 17
const archiveSuffix = '.jsa'

export interface Jars {
  /** Paths of all that the pom names. */
  files: readonly string[]
  classPath: string
  java: string
  /** Path of the archive of their classes, for this Java; see cds-archive.ts. */
  cdsArchive: string
}

const fetched = new Map<string, Promise<Jars>>()

/** Apache Kafka's own jars, fetched if need be. Rejects with what to install where Java or Maven is missing. */
export function kafkaJars(): Promise<Jars> {
  return jarsOf(kafkaPom)
}

/**
 * What a pom depends on, likewise.
 * @param properties of the pom, to be set when it is read
 */
export function jarsOf(pom: string, properties: Readonly<Record<string, string>> = {}): Promise<Jars> {
  const known = fetched.get(pom)
  if (known) return known
  const jars = findJars(pom, properties)
  fetched.set(pom, jars)
  return jars
}

async function findJars(pom: string, properties: Readonly<Record<string, string>>): Promise<Jars> {
  const { java, build } = await findJava()
  const folder = folderOf(pom)
  const libs = join(folder, 'libs')
  if (!existsSync(folder)) await download(pom, folder, properties)
  // Sorted: what is loaded does not depend on the order of a directory.
  const files = readdirSync(libs)
    .toSorted()
    .map((name) => join(libs, name))
  const classPath = files.filter((path) => path.endsWith('.jar')).join(':')
  return { files, classPath, java, cdsArchive: join(folder, `classes-${digestOf(build)}${archiveSuffix}`) }
}

/** Whether an earlier run has fetched Kafka's and made an archive of their classes. */
export function arePrepared(): boolean {
  const folder = folderOf(kafkaPom)
  return existsSync(folder) && readdirSync(folder).some((name) => name.endsWith(archiveSuffix))
}

/** Another folder for other jars. */
function folderOf(pom: string): string {
  return join(repository, '.kafka', digestOf(readFileSync(pom)))
}

function digestOf(content: string | Buffer): string {
  return createHash('sha256').update(content).digest('hex').slice(0, 12)
}

/** `build` says exactly which Java it is. */
async function findJava(): Promise<{ java: string; build: string }> {
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
  return { java, build: stderr }
}

async function download(pom: string, folder: string, properties: Readonly<Record<string, string>>): Promise<void> {
  mkdirSync(join(folder, '..'), { recursive: true })
  const draft = mkdtempSync(`${folder}.draft-`)
  console.error(`Fetching the jars of ${pom.slice(repository.length + 1)} through Maven (once)…`)
  try {
    const command = [
      'mvn',
      '-B',
      '-q',
      '-f',
      pom,
      'dependency:copy-dependencies',
      `-DoutputDirectory=${join(draft, 'libs')}`,
      ...Object.entries(properties).map(([name, value]) => `-D${name}=${value}`),
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
