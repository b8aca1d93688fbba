/** `npm run docs`: writes the generated documents, and the generated parts of README.md. A test holds the committed ones to it. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { read, root } from '../style/repository.ts'
import { table, tableBelow, withPart } from './markdown.ts'
import { firstSettings, settingsPage, settingsPath } from './settings-page.ts'

/** Rows of the bench's table that README.md has. */
const speedRows = [
  'ingest, every record acknowledged by the changelog',
  'recovery, start of the process to its first answer',
  'lookups over HTTP, 64 connections, idle store',
  'resident memory, 1,000,000 entries of 181 bytes',
  'append of a record to its first answer',
]

/** Text by path. */
export function generatedDocuments(): Map<string, string> {
  const readme = withPart(withPart(read('README.md'), 'settings', firstSettings()), 'speed', speed())
  return new Map([
    [settingsPath, settingsPage()],
    ['README.md', readme],
  ])
}

function speed(): string {
  const [head = [], ...rows] = tableBelow(read('test/bench/README.md'), '## Figures')
  const found = speedRows.map((name) => {
    const row = rows.find(([first]) => first === name)
    if (!row) throw new Error(`Writing the speed of README.md: test/bench/README.md has no row "${name}"`)
    return row
  })
  return table(head, found).join('\n')
}

if (import.meta.main) {
  for (const [path, text] of generatedDocuments()) writeFileSync(join(root, path), text)
}
