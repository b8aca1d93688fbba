/** Creates the decoder of a store's source from its settings and its definition. */
import { sourceFetch } from '../../topics/clients.ts'
import type { BadRecords } from './bad-records.ts'
import { type Conversion, conversionOf } from './conversion.ts'
import type { IngestContext } from './ingest-context.ts'
import { compressibleBytesMax, recordLimits } from './produce-options.ts'
import { SourceDecoder } from './source-decoder.ts'
import { sourceHeadersOf } from './source-headers.ts'

export interface Decoding {
  readonly decoder: SourceDecoder
  /** Undefined if records are not decoded. */
  readonly conversion: Conversion | undefined
}

export function decodingOf(context: IngestContext, bad: BadRecords): Decoding {
  const { config, stats, topology, pool } = context
  const conversion = conversionOf(context, bad)
  const limits = recordLimits(config, topology.limits)
  const decoder = new SourceDecoder(config.sourceTopic, stats, limits, pool, bad, {
    checkCrc: sourceFetch(config).checkCrcs,
    headers: sourceHeadersOf(config, stats),
    conversion,
    compressibleBytesMax: compressibleBytesMax(config),
  })
  return { decoder, conversion }
}
