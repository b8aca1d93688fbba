/** The --check command: checks all that a start checks, and changes nothing. */
import type { Settings } from '../config/index.ts'
import { checkRegistries, type Definition, describeDefinition } from '../definition/index.ts'
import { checkGroup } from '../group/check.ts'
import { describeSnapshots } from '../store/snapshot-report.ts'
import { checkTopics } from '../topics/check.ts'
import { describeServer, type ServerOptions } from './notices.ts'
import { warningPrefix } from './output.ts'
import { checkListening } from './port-claim.ts'
import { placeOf } from './run-group.ts'

export interface CheckFound {
  /** Sentences for a person, warnings included. */
  lines: string[]
  /** Errors for which a start would fail, or for which it would wait. */
  faults: unknown[]
}

/** @param notices added as warnings */
export async function check(
  settings: Settings,
  definition: Definition,
  http: ServerOptions,
  notices: readonly string[],
): Promise<CheckFound> {
  const asked = await Promise.allSettled([
    checkServer(http),
    checkTopics(settings),
    checkRegistries(),
    checkOwnGroup(settings, http),
  ])
  const found = asked.flatMap((one) => (one.status === 'fulfilled' ? one.value : []))
  const faults = asked.flatMap((one) => (one.status === 'rejected' ? [one.reason as unknown] : []))
  const lines = [
    describeServer(http),
    ...describeDefinition(definition),
    ...found,
    ...describeSnapshots(settings),
    ...notices.map((notice) => `${warningPrefix}${notice}`),
  ]
  if (faults.length > 0) return { lines, faults }
  const warnings = lines.filter((line) => line.startsWith(warningPrefix))
  lines.push(endingOf(warnings.length, asked[0].status === 'fulfilled' && asked[0].value.length > 0))
  return { lines, faults }
}

async function checkOwnGroup(settings: Settings, http: ServerOptions): Promise<string[]> {
  const { group, serverToken } = settings
  return group === undefined ? [] : checkGroup(settings, placeOf(group, http, http.port), serverToken, group)
}

/** Returns warnings about ports that are in use. */
async function checkServer({ bind, port, respPort }: ServerOptions): Promise<string[]> {
  const warnings = [
    checkListening(bind, port),
    respPort === undefined ? undefined : checkListening(bind, respPort, 'RESP_PORT'),
  ]
  return warnings.filter((warning) => warning !== undefined).map((warning) => `${warningPrefix}${warning}`)
}

function endingOf(warnings: number, isPortInUse: boolean): string {
  if (warnings === 0) return 'no problems found: a start would succeed'
  const when = isPortInUse ? ' once the port is free' : ''
  return `a start would succeed${when}, with ${warnings === 1 ? 'the warning' : `the ${warnings} warnings`} above`
}
