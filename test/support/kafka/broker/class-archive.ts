/**
 * Kafka's classes as a JVM maps them into memory (AppCDS), made once beside the jars: a broker starts with half the work. What cannot be made
 * is done without.
 */
import { existsSync, renameSync, writeFileSync } from 'node:fs'
import { freePorts } from '../../process/ports.ts'
import { startTimeoutMs } from './broker.ts'
import type { Jars } from './jars.ts'
import { LocalNode } from './local-node.ts'
import { waitUntilReady } from './ready.ts'
import { serverProperties } from './server-properties.ts'

const heapMegabytes = 256

/** Lets a broker run once for it, unless that was done before. */
export async function makeClassArchive(jars: Jars): Promise<void> {
  if (existsSync(jars.classArchive)) return
  const [directPort = 0, controllerPort = 0] = await freePorts(2)
  const directAddress = `127.0.0.1:${directPort}`
  const node = new LocalNode('Kafka for its class archive', jars, heapMegabytes)
  // Several test runs may make it at once: the last to finish gives it the name.
  const draft = `${jars.classArchive}.${process.pid}`
  try {
    await node.format(
      serverProperties({ bindHost: '127.0.0.1', directAddress, directPort, controllerPort }, node.logDir),
    )
    const { ended } = await node.start([`-XX:ArchiveClassesAtExit=${draft}`])
    await waitUntilReady(directAddress, startTimeoutMs, ended)
    await node.stop()
    renameSync(draft, jars.classArchive)
  } catch {
    writeFileSync(jars.classArchive, '') // which no JVM takes, so that it is not tried each time
  } finally {
    await node.close()
  }
}
