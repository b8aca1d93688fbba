/** Settings that hold properties of the Kafka clients. client-properties/ parses them. */
import * as v from 'valibot'

const allowed = 'librdkafka properties name=value, separated by commas; a comma inside a value is written \\,'

function propertiesOf(variable: string, meaning: string, brief?: string) {
  const metadata = { variable, meaning, allowed, default: 'none', isSecret: true, ...(brief && { brief }) }
  return v.pipe(v.optional(v.string()), v.metadata(metadata))
}

export const clientDefinitions = {
  kafkaProperties: propertiesOf(
    'KAFKA_PROPERTIES',
    'Properties of all three Kafka clients: security.protocol, sasl.*, ssl.* and others.',
    'TLS, SASL and others, as librdkafka names them',
  ),
  kafkaConsumerProperties: propertiesOf('KAFKA_CONSUMER_PROPERTIES', 'Properties of the source consumer alone.'),
  kafkaProducerProperties: propertiesOf('KAFKA_PRODUCER_PROPERTIES', 'Properties of the changelog producer alone.'),
  kafkaChangelogProperties: propertiesOf(
    'KAFKA_CHANGELOG_PROPERTIES',
    'Properties of the changelog consumer alone, in recovery and for replicas.',
  ),
}
