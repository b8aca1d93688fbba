/** Named schemas of the document. */
import { entrySchemas } from './entry-schemas.ts'
import { problemSchema } from './problems.ts'
import { count, objectOf, type Schema } from './schema.ts'
import { statusEventSchemas } from './status-event-schemas.ts'
import { statusSchemas } from './status-schemas.ts'

export const schemas: Readonly<Record<string, Schema>> = {
  ...entrySchemas,
  ...statusSchemas,
  ...statusEventSchemas,
  Flushed: objectOf<{ operations: number }>({ operations: count }),
  Problem: problemSchema,
}
