/**
 * Messages that chance has made, compared with what Google's own implementation makes of them: read, shown as JSON, written again, and read from JSON. More
 * of them, or others: LATCHKEY_MESSAGES, LATCHKEY_SEED.
 */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { join } from 'node:path'
import { type Codec, codecOf, type Json } from '../../../../lib/format/index.ts'
import { hasJava } from '../../../support/format/java/java.ts'
import { type Answer, type Asked, Protos } from '../../../support/format/protobuf/differential/oracle.ts'
import { differenceOf } from '../../../support/format/protobuf/differential/same.ts'
import { files, roots } from '../../../support/format/protobuf/differential/schema.ts'
import { WireWriter } from '../../../support/format/protobuf/differential/wire.ts'
import { Random } from '../../../support/random.ts'

const count = Number(process.env['LATCHKEY_MESSAGES'] ?? 6_000)
const seed = Number(process.env['LATCHKEY_SEED'] ?? 1)
const startTimeoutMs = 600_000

interface Read extends Asked {
  readonly java: Answer
  /** What is thrown where it is refused. */
  readonly ours: Json | Error
}

// Where Docker runs Kafka, there may be no Java.
if (hasJava) {
  describe('as Google’s Java', () => {
    const protos = new Protos(files)
    const codecs = new Map<string, Codec<Json>>()
    let messages: Read[]

    beforeAll(async () => {
      for (const message of roots) {
        const file = join(protos.folder, `${message.split('.')[0]}.proto`)
        codecs.set(message, codecOf({ format: 'protobuf', file, message }))
      }
      const writer = new WireWriter(new Random(seed))
      const asked = Array.from({ length: count }, (_, index) => {
        const message = roots[index % roots.length]!
        return { message, hex: Uint8Array.from(writer.message(message)).toHex() }
      })
      const answers = await protos.ask(asked)
      messages = asked.map((one, index) => ({ ...one, java: answers[index]!, ours: read(one) }))
    }, startTimeoutMs)
    afterAll(() => protos[Symbol.dispose]())

    function read({ message, hex }: Asked): Json | Error {
      try {
        return codecs.get(message)!.decode(Uint8Array.fromHex(hex))
      } catch (error) {
        return error as Error
      }
    }

    /** Those that both read. */
    function sound(): (Asked & { readonly json: unknown; readonly ours: Json })[] {
      return messages.flatMap(({ message, hex, java, ours }) =>
        'json' in java && !(ours instanceof Error) ? [{ message, hex, json: java.json, ours }] : [],
      )
    }

    test('messages are read or refused', () => {
      const refusedByOne = messages.filter(({ java, ours }) => 'refusal' in java !== ours instanceof Error)
      expect(
        refusedByOne.map(
          ({ message, hex, java, ours }) => `${message} ${hex}: ${String('refusal' in java ? java.refusal : ours)}`,
        ),
      ).toEqual([])
      expect(sound().length).toBeGreaterThan(count * 0.8)
    })

    test('they have the same JSON', () => {
      const found = sound().flatMap(({ message, hex, json, ours }) => {
        const difference = differenceOf(json, ours)
        return difference === undefined ? [] : [`${message} ${hex}: ${difference}`]
      })
      expect(found).toEqual([])
    })

    test(
      'what is written again, or read from Java’s JSON, is the same to Java',
      async () => {
        const rewritten = sound().flatMap(({ message, hex, json, ours }) => {
          const codec = codecs.get(message)!
          const again = { message, json, source: hex, hex: codec.encode(ours).toHex() }
          // Java writes names of extensions that no parser reads.
          if (message === 'd2.All') return [again]
          return [again, { ...again, hex: codec.encode(codec.fromJson(withLargestFloat(json as Json))).toHex() }]
        })
        const answers = await protos.ask(rewritten)
        const found = rewritten.flatMap(({ message, source, json }, index) => {
          const answer = answers[index]!
          const difference = 'json' in answer ? differenceOf(json, answer.json) : answer.refusal
          return difference === undefined ? [] : [`${message} ${source}: ${difference}`]
        })
        expect(found).toEqual([])
      },
      startTimeoutMs,
    )
  })
}

/** The largest float's shortest decimal, which Java writes, is beyond it: the library's reader refuses it. */
function withLargestFloat(json: Json): Json {
  return JSON.parse(JSON.stringify(json).replaceAll('3.4028235e+38', '3.4028234663852886e+38')) as Json
}
