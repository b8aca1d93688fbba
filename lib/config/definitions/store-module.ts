/** The setting for a store module. ../store-module.ts reads it. */
import * as v from 'valibot'

export const moduleDefinitions = {
  storeModule: v.pipe(
    v.optional(v.string()),
    v.metadata({
      variable: 'STORE_MODULE',
      meaning:
        'TypeScript or JavaScript file whose default export says what keys and values are and how records are converted.',
      brief: 'File that validates and converts records',
      allowed: 'the path of a .ts or .js file',
      default: 'none',
    }),
  ),
}
