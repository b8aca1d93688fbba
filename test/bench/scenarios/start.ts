/** How long each contender takes from the start of its process to its first answer, with nothing to recover and nothing to ingest. */
import { textOf } from '../report/metrics.ts'
import { type Bench, dropTopics, filledTopic, newStore, rotated, running, say } from './bench.ts'

export async function start(bench: Bench): Promise<void> {
  const source = await filledTopic(bench, 'empty', { records: 0 })
  const changelogs: string[] = []
  for (let round = 0; round < bench.options.rounds; round++) {
    for (const contender of rotated(bench.contenders, round)) {
      const settings = await newStore(bench, contender, source)
      changelogs.push(contender.changelogOf(settings.id))
      const firstAnswer = await running(contender, settings, (store) => store.answers())
      bench.results.add(contender.name, { firstAnswer })
      say(`${contender.name}: first answer after ${textOf(firstAnswer, 'ms')} ms`)
    }
  }
  await dropTopics(bench, [source, ...changelogs])
}
