/** Runs AvroVectors.java: what Apache Avro writes. */
import { join } from 'node:path'
import { jarsOf } from '../../kafka/broker/jars.ts'
import { runTool } from '../../kafka/broker/java.ts'
import { tail } from '../../process/run.ts'

const folder = join(import.meta.dir, 'java')

export interface AvroVector {
  name: string
  /** In JSON. */
  schema: string
  /** Hexadecimal digits. */
  bytes: string
}

export async function writeVectors(): Promise<AvroVector[]> {
  const jars = await jarsOf(join(folder, 'pom.xml'))
  const args = [join(import.meta.dir, 'order.avsc')]
  const { stdout, stderr, exitCode } = await runTool(jars, join(folder, 'AvroVectors.java'), args)
  if (exitCode !== 0) throw new Error(`write the vectors: ${tail(stdout + stderr)}`)
  return stdout
    .trimEnd()
    .split('\n')
    .map((line) => {
      const [name = '', schema = '', bytes = ''] = line.split('\t')
      return { name, schema, bytes: Uint8Array.fromBase64(bytes).toHex() }
    })
}
