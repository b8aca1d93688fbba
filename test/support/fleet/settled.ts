/** Whether all is as it should be when all is quiet: every instance answers for every key what the source has last. */
import { fold, readTopic } from '../fault-run/oracle.ts'
import { until } from '../until.ts'
import type { FleetInstance } from './fleet-instance.ts'
import type { Fleet } from './fleet.ts'

const keysAtOnce = 64
const settleTimeoutMs = 60_000

/** Resolves with what GET answers for every key ever written. Rejects where it does not become what the source has. */
export async function settled(fleet: Fleet, keysMax = Number.POSITIVE_INFINITY): Promise<Map<string, string | null>> {
  const source = fold((await readTopic(fleet.direct(), fleet.topic)).records)
  const keys = sample([...source.keys()], keysMax)
  const answers = new Map<string, string | null>()
  for (const instance of fleet.running) {
    let open = keys
    let wrong = ''
    const agrees = async () => {
      const still: string[] = []
      for (let from = 0; from < open.length; from += keysAtOnce) {
        const part = open.slice(from, from + keysAtOnce)
        const found = await Promise.all(part.map((key) => lookUp(instance, fleet.topic, key)))
        for (const [index, key] of part.entries()) {
          const wanted = source.get(key)!
          answers.set(key, found[index]!.value)
          if (found[index]!.value === wanted) continue
          wrong = `${key} is ${found[index]!.shown} instead of ${wanted}`
          still.push(key)
        }
      }
      open = still
      return still.length === 0
    }
    await until(`${instance.name} agrees with the source`, agrees, settleTimeoutMs).catch((cause: Error) => {
      throw new Error(`${cause.message}: ${open.length} keys differ; ${wrong}`, { cause })
    })
  }
  return answers
}

async function lookUp(
  { url }: FleetInstance,
  storeId: string,
  key: string,
): Promise<{ value: string | null; shown: string }> {
  const answer = await fetch(`${url}/stores/${storeId}/${key}`)
  const text = await answer.text()
  if (answer.status === 200) return { value: text, shown: text }
  const isMiss = answer.status === 404
  return { value: isMiss ? null : `status ${answer.status}`, shown: `${answer.status} ${text.trim()}` }
}

/** All, or every n-th. */
function sample(keys: readonly string[], max: number): string[] {
  const step = Math.max(1, Math.ceil(keys.length / max))
  return keys.filter((_, index) => index % step === 0)
}
