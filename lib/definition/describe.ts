import { basename } from 'node:path'
import { pathOf } from './call-site.ts'
import type { Definition } from './definition.ts'

/** Returns the line of --check about keys and values; empty if they are not decoded. */
export function describeDefinition({ module, key, input, value, isPlain, ...functions }: Definition): string[] {
  if (isPlain && module === undefined) return []
  const names = (['convert', 'onNew', 'onUpdate', 'onDelete'] as const).filter((name) => functions[name] !== undefined)
  const stored = input.name === value.name ? '' : `, stored as ${value.name}`
  if (module === undefined) return [`formats: keys ${key.name}, values ${input.name}${stored}`]
  const called = names.length === 0 ? '' : `; it has ${names.join(', ')}`
  return [
    `store module ${basename(pathOf(module) ?? module)}: keys ${key.name}, values ${input.name}${stored}${called}`,
  ]
}
