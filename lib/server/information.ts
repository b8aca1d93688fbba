/** What the executable prints instead of running a store. */
import { type Command, helpText, type PrintedDocument } from '../config/index.ts'
import { openapiText } from '../http/openapi/index.ts'
import { documents } from '../print/index.ts'
import { licensesText } from '../print/licenses.ts' with { type: 'macro' }
import { sbomText } from '../print/sbom.ts' with { type: 'macro' }
import { takesEscapeCodes } from './output.ts'

type Information = Extract<Command, { action: 'help' | 'version' | 'licenses' | 'print-settings' | 'print' }>

export function informationOf(
  command: Information,
  version: string,
  environment: Readonly<Record<string, string | undefined>>,
): string {
  switch (command.action) {
    case 'help': {
      const color = takesEscapeCodes(process.stdout, environment['TERM']) && !environment['NO_COLOR']
      return helpText({ topic: command.topic, columns: process.stdout.columns, color })
    }
    case 'licenses':
      return licensesText()
    case 'print':
      return documentOf(command.document, version)
    case 'print-settings':
      return `${command.lines.join('\n')}\n`
    case 'version':
      return `latchkey ${version}\n`
  }
}

function documentOf(name: PrintedDocument, version: string): string {
  switch (name) {
    case 'licenses':
      return licensesText()
    case 'openapi':
      return openapiText(version)
    case 'sbom':
      return sbomText()
    default:
      return documents[name]
  }
}
