/**
 * A store module of executables: it stores other values than the source has. A value that is the path of a file cannot
 * be decoded before that file exists, as with a schema that is to be fetched.
 */
import { existsSync } from 'node:fs'
import { type Codec, defineStore, SchemaPending } from 'latchkey'

const pollMs = 20

async function exists(path: string): Promise<void> {
  while (!existsSync(path)) await Bun.sleep(pollMs)
}

const text: Codec<string> = {
  name: 'text',
  decode(bytes) {
    const value = Buffer.from(bytes).toString()
    if (value.startsWith('/') && !existsSync(value)) throw new SchemaPending('the file', exists(value))
    return value
  },
  encode: (value) => Buffer.from(value),
  toJson: (value) => value,
  fromJson: String,
  toText: (value) => value,
  fromText: (value) => value,
}

// oxlint-disable-next-line import/no-default-export -- that is what a store module has
export default defineStore({ key: 'utf8', input: text, value: 'utf8', convert: (value) => `new ${value}` })
