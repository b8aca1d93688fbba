/** Named schemas of the document. */
import { entrySchemas } from './entry-schemas.ts'
import { problemSchema } from './problems.ts'
import { count, objectOf, type Schema } from './schema.ts'
import { statusEventSchemas } from './status-event-schemas.ts'
import { statusSchemas } from './status-schemas.ts'

export function schemas(): Readonly<Record<string, Schema>> {
  return {
    ...entrySchemas(),
    ...statusSchemas(),
    ...statusEventSchemas(),
    Flushed: objectOf<{ operations: number }>({ operations: count }),
    Problem: problemSchema(),
  }
}
