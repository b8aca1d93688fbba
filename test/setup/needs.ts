/** Before `npm test`: what the suite needs beside the dependencies is checked first, and what is missing is named at once. */
import { dockerAnswers } from '../support/kafka/broker/container-broker.ts'
import { kafkaJars } from '../support/kafka/broker/jars.ts'
import { prepareKafka } from '../support/kafka/broker/prepare.ts'

/** Of the whole suite, on 2 cores that do nothing else. */
const suiteMinutes = 18
const programs = ['curl', 'git', 'nice', 'openssl', 'ps', 'tar']

const missing = programs.filter((program) => Bun.which(program) === null)
if (missing.length > 0) {
  fail(`run the tests: found no ${missing.join(', no ')} on PATH. Install what is missing with your package manager.`)
}
await prepareBroker().catch((error: Error) => fail(error.message))
console.log(`The whole suite takes about ${suiteMinutes} minutes on 2 cores; 'npm test -- test/map' runs a part of it.`)

/** Also where it has been fetched already: Java may still be missing. */
async function prepareBroker(): Promise<void> {
  await prepareKafka()
  if (!process.env['KAFKA_BROKERS'] && !(await dockerAnswers())) await kafkaJars()
}

function fail(message: string): never {
  console.error(message)
  process.exit(1)
}
