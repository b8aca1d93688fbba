/** Google's own Protocol Buffers, in Java. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { runTool } from '../../../kafka/broker/java.ts'
import { tail } from '../../../process/run.ts'
import { protocAndJars } from '../../java/java.ts'

const program = resolve(import.meta.dir, '../../java/ProtobufOracle.java')

export interface Asked {
  /** Full name. */
  readonly message: string
  /** Hexadecimal digits. */
  readonly hex: string
}

/** Canonical bytes and JSON; undefined where it is no such message, or has no JSON. */
export type Answer = { readonly hex: string; readonly json: unknown } | { readonly refusal: string }

/** Descriptors of the files that classes of Java are made of. */
export async function descriptorsOf(classes: readonly string[]): Promise<Uint8Array[]> {
  const { jars } = await protocAndJars()
  const { stdout, stderr, exitCode } = await runTool(jars, program, ['files', ...classes])
  if (exitCode !== 0) throw new Error(`ask Google's Protocol Buffers: ${tail(stdout + stderr)}`)
  return stdout
    .trimEnd()
    .split('\n')
    .map((line) => Uint8Array.fromBase64(line))
}

/** A folder with .proto files, for both implementations. */
export class Protos implements Disposable {
  readonly folder = mkdtempSync(join(tmpdir(), 'latchkey-differential-'))
  readonly #names: readonly string[]

  constructor(files: Readonly<Record<string, string>>) {
    this.#names = Object.keys(files)
    for (const [name, text] of Object.entries(files)) writeFileSync(join(this.folder, name), text)
  }

  /** What Java makes of each message. */
  async ask(asked: readonly Asked[]): Promise<Answer[]> {
    const { protoc, jars } = await protocAndJars()
    const compiled = mkdtempSync(join(this.folder, 'java-'))
    mkdirSync(compiled, { recursive: true })
    for (const name of this.#names) writeFileSync(join(compiled, name), await Bun.file(join(this.folder, name)).text())
    const lines = asked.map(({ message, hex }) => `${message} ${hex}\n`).join('')
    const { stdout, stderr, exitCode } = await runTool(jars, program, [protoc, compiled, ...this.#names], lines)
    if (exitCode !== 0) throw new Error(`ask Google's Protocol Buffers: ${tail(stdout + stderr)}`)
    return stdout.trimEnd().split('\n').map(answerOf)
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true, force: true })
  }
}

function answerOf(line: string): Answer {
  if (line.startsWith('!')) return { refusal: line.slice(2) }
  const space = line.indexOf(' ')
  return { hex: line.slice(0, space), json: JSON.parse(line.slice(space + 1)) }
}
