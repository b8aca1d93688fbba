import { makeCdsArchive } from './cds-archive.ts'
import { dockerAnswers, pullImage } from './container-broker.ts'
import { arePrepared, kafkaJars } from './jars.ts'

/** Fetches what a broker is made of where it is missing, for that may take longer than a test may. */
export async function prepareKafka(): Promise<void> {
  if (process.env['KAFKA_BROKERS'] || arePrepared()) return
  const inContainers = await dockerAnswers()
  if (inContainers) await pullImage()
  try {
    await makeCdsArchive(await kafkaJars())
  } catch (error) {
    // Only a cluster needs Java then, and its tests report that.
    if (!inContainers) throw error
  }
}
