/** A store module whose values name a file: they cannot be decoded before that exists, as with a schema that is to be fetched. */
import { existsSync } from 'node:fs'
import { defineStore } from '../../../../lib/definition/index.ts'
import { type Codec, SchemaPending, simpleCodecs } from '../../../../lib/format/index.ts'

const pollMs = 20

async function exists(path: string): Promise<void> {
  while (!existsSync(path)) await Bun.sleep(pollMs)
}

const path: Codec<string> = {
  ...simpleCodecs.utf8,
  name: 'path',
  decode(bytes) {
    const text = simpleCodecs.utf8.decode(bytes)
    if (text.startsWith('/') && !existsSync(text)) throw new SchemaPending('the file', exists(text))
    return text
  },
}

// oxlint-disable-next-line import/no-default-export -- that is what a store module has
export default defineStore({ key: 'utf8', input: path })
