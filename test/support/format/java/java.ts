/** Runs FormatVectors.java: what other implementations make of the cases. */
import { chmodSync } from 'node:fs'
import { arch, platform } from 'node:os'
import { join, resolve } from 'node:path'
import { type Jars, jarsOf, kafkaJars } from '../../kafka/broker/jars.ts'
import { runTool } from '../../kafka/broker/java.ts'
import { tail } from '../../process/run.ts'

const folder = import.meta.dir
export const protos = resolve(folder, '../protobuf/protos')

export interface SimpleVector {
  format: 'utf8' | 'int32' | 'int64' | 'uuid'
  text: string
  /** Hexadecimal digits. */
  bytes: string
}

export interface MessageVector {
  name: string
  message: string
  /** Protobuf's text format. */
  text: string
  bytes: string
  /** Null where Java has none. */
  json: unknown
}

export interface Vectors {
  simple: SimpleVector[]
  protobuf: MessageVector[]
}

/** Java and Maven are there; without them Docker runs Kafka, and the vectors stay as they were committed. */
export const hasJava = Bun.which('java') !== null && Bun.which('mvn') !== null

/** Google's compiler and library. */
export async function protocAndJars(): Promise<{ protoc: string; jars: Jars }> {
  const jars = await jarsOf(join(folder, 'pom.xml'), { 'protoc.classifier': protocClassifier() })
  const protoc = jars.files.find((path) => /\/protoc-[^/]*\.exe$/.test(path))
  if (protoc === undefined) throw new Error('find protoc: Maven has brought none')
  chmodSync(protoc, 0o755)
  return { protoc, jars }
}

/** The cases, as Kafka's serializers and Google's Protocol Buffers write them. */
export async function writeVectors(): Promise<Vectors> {
  const kafka = await kafkaJars()
  const { protoc, jars } = await protocAndJars()
  const classPath = `${jars.classPath}:${kafka.classPath}`
  const args = [join(folder, 'cases.json'), protoc, protos]
  const { stdout, stderr, exitCode } = await runTool({ ...kafka, classPath }, join(folder, 'FormatVectors.java'), args)
  if (exitCode !== 0) throw new Error(`write the vectors: ${tail(stdout + stderr)}`)
  return JSON.parse(stdout) as Vectors
}

/** As Maven names the builds of protoc. */
function protocClassifier(): string {
  const system = platform() === 'darwin' ? 'osx' : 'linux'
  return `${system}-${arch() === 'arm64' ? 'aarch_64' : 'x86_64'}`
}
