/** What --help prints, out of the settings' own metadata. */
import { fileVariable } from './secrets.ts'
import { flagOf, metadataOf, settingKeys } from './settings.ts'

const examples = [
  [
    'Serve the latest value of every key of the topic "orders"',
    'latchkey --source-topic orders --kafka-brokers localhost:9092',
  ],
  ['The same, from a file called .env in this directory or beside the executable', 'latchkey'],
  ['From another file, one setting changed', 'latchkey --env-file /etc/latchkey/orders.env --server-port 9000'],
  ['Check settings and topics, start nothing', 'latchkey --check'],
  ['Look a key up', 'curl http://localhost:8080/stores/orders/4711'],
]

const options = [
  ['--env-file PATH', 'Read this file instead of .env.'],
  ['--check', 'Check the settings and the topics, print what would happen, end.'],
  ['--rebuild', 'Discard what the changelog has and read the source again, then run on.'],
  ['--version, -V', 'Print the version.'],
  ['--help, -h', 'Print this.'],
]

/** @param color whether headings may be set in bold */
export function helpText(color: boolean): string {
  const heading = (text: string) => (color ? `\x1b[1m${text}\x1b[22m` : text)
  const lines = [
    'Latchkey: the latest value of every key of a Kafka topic, one HTTP call away.',
    '',
    heading('Examples'),
  ]
  for (const [meaning, command] of examples) lines.push(`  # ${meaning}`, `  ${command}`, '')
  lines.push(
    heading('Settings'),
    '  A flag counts before an environment variable, that before .env. Empty is not given.',
    '',
  )
  for (const key of settingKeys) {
    const { variable, meaning, allowed, default: defaultText, isSwitch, isSecret } = metadataOf(key)
    const flag = isSwitch ? `--[no-]${flagOf(variable)}` : `--${flagOf(variable)} …`
    lines.push(
      `  ${heading(`${flag}, ${variable}`)}`,
      `      ${meaning}`,
      ...(isSecret ? [`      ${fileVariable(variable)} names a file that holds it instead.`] : []),
      `      Default: ${defaultText ?? 'none, it is required'}. Allowed: ${allowed}.`,
    )
  }
  lines.push('', heading('Options'))
  for (const [flag, meaning] of options) lines.push(`  ${flag!.padEnd(18)}${meaning}`)
  lines.push('', heading('Exit codes'), '  0 ended by SIGTERM or SIGINT; 1 failed while running; 2 wrong settings', '')
  return lines.join('\n')
}
