/** `latchkey status`: prints how a store is. */
import { groupText } from '../group-protocol/describe-group.ts'
import { escapeControls } from '../log/escape.ts'
import { counted } from '../text/counted.ts'
import { table } from '../text/table.ts'
import { parseAnswer, type PrintedPartition, type ShownStatus, storeStatus } from './answers.ts'
import type { Arguments } from './arguments.ts'
import { print } from './output.ts'
import type { StoreClient } from './store-client.ts'

/** @returns the exit code: 1 if the store is not ready */
export async function status(client: StoreClient, { json }: Arguments): Promise<number> {
  const text = await client.getText('/status-store', new URLSearchParams(), 'application/json')
  const found = parseAnswer(storeStatus, text, client.url)
  await print(json ? text : describe(client, found))
  return found.conditions.every(({ ok }) => ok) ? 0 : 1
}

function describe({ url }: StoreClient, found: ShownStatus): string {
  const { id, state, reason, recovery, conditions, details, group } = found
  const failing = conditions.filter(({ ok }) => !ok)
  const entries = details.reduce((sum, one) => sum + one.entries, 0)
  const lines = [`${id} at ${url}: ${state}, ${failing.length === 0 ? 'ready' : 'not ready'}`]
  // Conditions may repeat the reason, which is shown once.
  if (reason !== undefined && failing.every((one) => one.reason !== reason)) lines.push(`  ${reason}`)
  if (recovery !== null) {
    const { phase, percent, remainingSeconds } = recovery
    const rest = remainingSeconds === null ? '' : `, about ${Math.ceil(remainingSeconds)} s left`
    lines.push(`  ${phase}: ${Math.floor(percent)} %${rest}`)
  }
  for (const { name, reason: why } of failing) lines.push(`  ${name}: ${why?.replace(`; ${reason}`, '') ?? 'failed'}`)
  lines.push(`  ${counted(entries, 'key')} in ${counted(details.length, 'partition')}`, '')
  const header = ['PARTITION', 'ROLE', 'STATE', 'POSITION', 'END', 'LAG', 'KEYS']
  const partitions = `${lines.map(escapeControls).join('\n')}\n${table([header, ...details.map(row)])}`
  return group === undefined ? partitions : `${partitions}\n${groupText(group)}`
}

function row({ partition, role, state, position, end, lag, entries }: PrintedPartition): string[] {
  return [partition, role, state, position ?? '-', end ?? '-', lag ?? '-', entries].map(String).map(escapeControls)
}
