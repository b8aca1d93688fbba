/**
 * Writes a CDS archive (class data sharing) of Kafka's classes next to the jars, once: a JVM maps it into memory, and a
 * broker starts with half the work. Brokers start without the archive if it cannot be written.
 */
import { existsSync, renameSync, writeFileSync } from 'node:fs'
import { freePorts } from '../../process/ports.ts'
import { startTimeoutMs } from './broker.ts'
import type { Jars } from './jars.ts'
import { LocalNode } from './local-node.ts'
import { waitUntilReady } from './ready.ts'
import { serverProperties } from './server-properties.ts'

const heapMegabytes = 256

/** Starts and stops a broker, whose JVM writes the archive when it exits. Does nothing if the archive exists. */
export async function makeCdsArchive(jars: Jars): Promise<void> {
  if (existsSync(jars.cdsArchive)) return
  const [directPort = 0, controllerPort = 0] = await freePorts(2)
  const directAddress = `127.0.0.1:${directPort}`
  const node = new LocalNode('Kafka that writes the CDS archive', jars, heapMegabytes)
  // Several test runs may write one at the same time: the last one to finish renames its own.
  const draft = `${jars.cdsArchive}.${process.pid}`
  try {
    await node.format(
      serverProperties({ bindHost: '127.0.0.1', directAddress, directPort, controllerPort }, node.logDir),
    )
    const { ended } = await node.start([`-XX:ArchiveClassesAtExit=${draft}`])
    await waitUntilReady(directAddress, startTimeoutMs, ended)
    await node.stop()
    renameSync(draft, jars.cdsArchive)
  } catch {
    writeFileSync(jars.cdsArchive, '') // A JVM ignores an empty archive. The next run does not try again.
  } finally {
    await node.close()
  }
}
