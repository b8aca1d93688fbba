/** A broker of its own that a loaded machine does not make look dead: several instances start beside it. */
import { type KafkaBroker, startKafka, type StartOptions } from '../kafka/index.ts'

const sessionMs = 9_000

export function startPatientKafka({ properties, ...options }: StartOptions = {}): Promise<KafkaBroker> {
  return startKafka({ ...options, properties: { 'broker.session.timeout.ms': String(sessionMs), ...properties } })
}
