/** Settings for readiness and the log. */
import * as v from 'valibot'
import { logLevel, trueOrFalse, wholeNumber } from '../values.ts'

const shutdownSecondsMax = 3_600

export const operationDefinitions = {
  readyWhen: v.pipe(
    v.optional(v.picklist(['caught-up', 'recovered']), 'caught-up'),
    v.metadata({
      variable: 'READY_WHEN',
      meaning:
        'When the store is ready: past the end that the source had at start (caught-up), or as soon as the changelog is read (recovered).',
      allowed: 'caught-up or recovered',
      default: 'caught-up',
    }),
  ),
  shutdownDelay: v.pipe(
    v.optional(wholeNumber(0, shutdownSecondsMax), '0'),
    v.metadata({
      variable: 'SHUTDOWN_DELAY',
      meaning:
        'Seconds after SIGTERM for which the store still answers, but is not ready: time for load balancers to send requests elsewhere. A second signal ends the wait; SIGINT has none.',
      allowed: `a whole number from 0 to ${shutdownSecondsMax}`,
      default: '0',
    }),
  ),
  structuredLogging: v.pipe(
    v.optional(trueOrFalse(), 'false'),
    v.metadata({
      variable: 'STRUCTURED_LOGGING',
      meaning: 'All output is JSON, one object a line, on stderr.',
      brief: 'JSON output, one object a line',
      allowed: 'true or false',
      default: 'false',
      isSwitch: true,
    }),
  ),
  logLevel: v.pipe(
    v.optional(logLevel(), 'info'),
    v.metadata({
      variable: 'LOG_LEVEL',
      meaning: 'Lowest level that is logged; read again on SIGHUP.',
      brief: 'trace, debug, info (the default), warning or error',
      allowed: 'trace, debug, info, warning or error',
      default: 'info',
    }),
  ),
}
