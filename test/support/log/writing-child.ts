/** Logs to a stderr that is not read until it is full, then one line for each line of stdin. Reports on stdout. */
import { configureLogging, loggerOf } from '../../../lib/log/index.ts'

configureLogging({ level: 'info', structured: false })
const logger = loggerOf('store')
for (let number = 0; number < 2_000; number++) {
  logger.info('Line {number} {filling}', { number, filling: 'x'.repeat(50) })
}
process.stdout.write('continued\n')
for await (const _ of console) {
  logger.info('Again')
  process.stdout.write('logged again\n')
}
