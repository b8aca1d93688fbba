import { run } from '../../process/run.ts'
import { type ToolResult, toolTimeoutMs } from './broker.ts'
import type { Jars } from './jars.ts'

/** For short lives: the first compiler alone, the simplest collector, no search for entropy. */
export const jvmFlags = [
  '-XX:TieredStopAtLevel=1',
  '-XX:+UseSerialGC',
  '-Xshare:auto',
  '-Djava.net.preferIPv4Stack=true',
]

/** Runs one of Kafka's tools from the jars. */
export async function runTool(
  jars: Jars,
  mainClass: string,
  args: readonly string[],
  stdin?: string | Uint8Array,
): Promise<ToolResult> {
  // Else sources are read and output is written in what the locale says, which on many a server is ASCII.
  const flags = [...jvmFlags, '-Dfile.encoding=UTF-8', '-Xmx256m', '-Dorg.slf4j.simpleLogger.defaultLogLevel=error']
  return run([jars.java, ...flags, '-cp', jars.classPath, mainClass, ...args], toolTimeoutMs, stdin)
}
