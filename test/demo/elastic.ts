/** `npm run demo -- --elastic`: one instance, then three, then one, with lookups all the while. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { GroupStatus } from '../../lib/group-protocol/group-status.ts'
import type { ClusterOptions } from './cluster.ts'
import { Instance } from './instance.ts'
import { Lookups } from './lookups.ts'
import { portsFor } from './ports.ts'
import { urlOf } from './requests.ts'
import { indent, type Step, tryAll } from './steps.ts'

export const elasticPartitions = 12
const instancesMax = 3
const settleTimeoutMs = 30_000
const pollMs = 50

interface Member {
  instance: Instance
  base: string
}

/** Resolves with the exit code of the demo. */
export async function runElastic(options: ClusterOptions): Promise<number> {
  const { storeId, feed, once, started } = options
  const members = await createMembers(options)
  started.push(...members.map(({ instance }) => instance))
  const [first, second, third] = members as [Member, Member, Member]
  const lookups = new Lookups(
    members.map(({ base }) => base),
    storeId,
    feed,
  )
  await first.instance.start()
  console.log(`One instance runs, ${first.base}, process ${first.instance.pid}, ${first.instance.folder}/.env:`)
  console.log(indent(readFileSync(join(first.instance.folder, '.env'), 'utf8')))
  feed.keepWriting()
  lookups.start()
  started.push(lookups)

  const others = [second, third]
  const join2: Step = {
    title: `# Two more start beside it: ${second.base} and ${third.base}`,
    act: async () => {
      await Promise.all(others.map(({ instance }) => instance.start()))
      await shares(members)
    },
  }
  const steps: Step[] = [
    join2,
    { title: '# Each answers for every order', act: () => answersEverywhere(members, storeId, feed) },
    {
      title: '# The second is killed: kill -9',
      act: async () => {
        lookups.leaveOut(second.base)
        await second.instance.kill()
        await shares([first, third])
      },
    },
    {
      title: '# It starts again',
      act: async () => {
        await second.instance.start()
        await shares(members)
      },
    },
    ...others.map(({ instance, base }, index) => ({
      title: `# ${base} stops: SIGTERM`,
      act: async () => {
        const exitCode = await instance.stop()
        if (exitCode !== 0) throw new Error(`exit code ${exitCode}; ${readFileSync(instance.logFile, 'utf8')}`)
        const rest = members.filter((one) => one === first || others.indexOf(one) > index)
        await shares(rest)
      },
    })),
    { title: '# The first has everything again', act: () => answersEverywhere([first], storeId, feed) },
    { title: '# Lookups all the while', act: () => noneFailed(lookups) },
  ]
  const exitCode = await tryAll(steps)
  console.log(`${lookups.answered} lookups were answered all the while, and ${lookups.failed} failed.`)
  if (once || exitCode !== 0) return exitCode
  await join2.act()
  console.log(
    `\nThree instances run. Try, in another terminal:\n\n${indent(linesToTry(members, storeId, feed.book.delivered('web')[0]!))}`,
  )
  console.log('\nOrders keep coming, and lookups continue. Ctrl-C ends everything.')
  started.push({ close: () => lookups.close().then(() => console.log(summaryOf(lookups))) })
  return 0
}

function summaryOf({ answered, failed, failures }: Lookups): string {
  return [`${answered} lookups were answered, and ${failed} failed.`, ...failures].join('\n')
}

async function createMembers({ executable, broker, storeId }: ClusterOptions): Promise<Member[]> {
  const ports = await portsFor(instancesMax)
  return ports.map((port) => {
    const base = `http://127.0.0.1:${port}`
    const settings = {
      SOURCE_TOPIC: storeId,
      STORE_ID: storeId,
      KAFKA_BROKERS: broker.bootstrap,
      ELASTIC: 'true',
      SERVER_BIND: '127.0.0.1',
      SERVER_PORT: String(port),
    }
    return { instance: new Instance(executable, settings, base), base }
  })
}

/** Resolves when these, and no others, share all partitions, by what each of them says. */
async function shares(members: readonly Member[]): Promise<void> {
  const latest = performance.now() + settleTimeoutMs
  for (;;) {
    const groups = await Promise.all(members.map(({ base }) => groupOf(base)))
    if (groups.every((group) => group !== undefined && isShared(group, members.length))) return
    if (performance.now() > latest) throw new Error(`not shared after ${settleTimeoutMs} ms: ${JSON.stringify(groups)}`)
    await Bun.sleep(pollMs)
  }
}

function isShared({ state, members, unassigned }: GroupStatus, count: number): boolean {
  const counts = members.map(({ primaries }) => primaries.length)
  const isEven = Math.max(...counts) - Math.min(...counts) <= 1
  return state === 'stable' && members.length === count && unassigned.length === 0 && isEven
}

async function groupOf(base: string): Promise<GroupStatus | undefined> {
  const answer = await fetch(`${base}/group`, { headers: { Accept: 'application/json' } }).catch(() => undefined)
  return answer?.ok ? ((await answer.json()) as GroupStatus) : undefined
}

async function answersEverywhere(
  members: readonly Member[],
  storeId: string,
  feed: ClusterOptions['feed'],
): Promise<void> {
  for (const { base } of members) {
    for (const key of feed.book.delivered('web').slice(0, 200)) {
      const answer = await fetch(urlOf(base, storeId, key))
      const body = await answer.text()
      if (answer.status !== 200 || body !== feed.book.latest.get(key)) {
        throw new Error(`${base}: ${key}: ${answer.status} ${body}`)
      }
    }
  }
}

async function noneFailed({ answered, failed, failures }: Lookups): Promise<void> {
  if (failed > 0) throw new Error(`${failed} of ${answered + failed} failed:\n${failures.join('\n')}`)
  if (answered === 0) throw new Error('there were none')
}

function linesToTry(members: readonly Member[], storeId: string, key: string): string {
  const [first, second, third] = members as [Member, Member, Member]
  return [
    '# Who has what',
    `curl ${first.base}/group`,
    '',
    '# An order, by each instance: X-Latchkey-Instance says which one has answered',
    ...members.map(({ base }) => `curl -i ${urlOf(base, storeId, key)}`),
    '',
    '# Kill one: the others take its partitions',
    `kill -9 ${second.instance.pid}`,
    `curl ${first.base}/group`,
    '',
    '# Run it again',
    `(cd ${second.instance.folder} && ./latchkey)`,
    '',
    '# Stop one, as a deployment does',
    `kill ${third.instance.pid}`,
  ].join('\n')
}
