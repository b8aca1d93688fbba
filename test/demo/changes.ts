/** The change that the demo sees arrive. */
import type { Feed } from './feed.ts'
import type { Step } from './steps.ts'

const limitMs = 30_000

/** @param base of the instance */
export function changesStep(base: string, storeId: string, feed: Feed): Step {
  const url = `${base}/changes/${storeId}`
  return {
    title: `# What changes, as it happens; with ?from=start all orders first\ncurl -N ${url}`,
    async act() {
      const answer = await fetch(url, { signal: AbortSignal.timeout(limitMs) })
      if (!answer.ok) throw new Error(`status ${answer.status}: ${await answer.text()}`)
      const record = feed.book.place()
      await feed.write([record])
      const wanted = `event: put\ndata: {"key":${JSON.stringify(record.key)},`
      const decoder = new TextDecoder()
      let text = ''
      for await (const bytes of answer.body!) {
        text += decoder.decode(bytes, { stream: true })
        if (text.includes(wanted)) return
      }
      throw new Error(`the stream ended without ${wanted}: ${text}`)
    },
  }
}
