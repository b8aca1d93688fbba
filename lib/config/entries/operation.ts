/** Settings of how the store runs and what it tells. */
import * as v from 'valibot'
import { logLevels } from '../../log/level.ts'
import { trueOrFalse } from '../values.ts'

export const operationEntries = {
  readyWhen: v.pipe(
    v.optional(v.picklist(['caught-up', 'recovered']), 'caught-up'),
    v.metadata({
      variable: 'READY_WHEN',
      meaning: 'Readiness: once past the end that the source had at start, or as soon as the changelog is recovered.',
      allowed: 'caught-up or recovered',
      default: 'caught-up',
    }),
  ),
  fencing: v.pipe(
    v.optional(trueOrFalse(), 'true'),
    v.metadata({
      variable: 'FENCING',
      meaning: 'Refuse late writes of an earlier instance; false only where the cluster refuses the transactional id.',
      allowed: 'true or false',
      default: 'true',
      isSwitch: true,
    }),
  ),
  structuredLogging: v.pipe(
    v.optional(trueOrFalse(), 'false'),
    v.metadata({
      variable: 'STRUCTURED_LOGGING',
      meaning: 'Log one JSON object a line instead of text.',
      allowed: 'true or false',
      default: 'false',
      isSwitch: true,
    }),
  ),
  logLevel: v.pipe(
    v.optional(v.picklist(logLevels), 'info'),
    v.metadata({
      variable: 'LOG_LEVEL',
      meaning: 'Least level that is logged.',
      allowed: 'trace, debug, info, warning or error',
      default: 'info',
    }),
  ),
}
