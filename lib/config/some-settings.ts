/** Reads a few settings and no others: a fault in another one does not matter to the reader. */
import * as v from 'valibot'
import { faultText } from './faults.ts'
import { definitionsOf, type SettingKey } from './settings.ts'
import { type SettingText, type Source, textOf } from './sources.ts'
import { readText } from './text-file.ts'

/**
 * @param faults gets one for each text that is not allowed
 * @returns the texts with their origins, the texts alone, and the values, if all of them are allowed
 */
export function readSome<Key extends SettingKey>(
  keys: readonly Key[],
  sources: readonly Source[],
  faults: string[],
  read = readText,
) {
  const given = new Map<SettingKey, SettingText | undefined>(
    keys.map((key) => [key, textOf(key, sources, faults, read)]),
  )
  const texts = Object.fromEntries([...given].map(([key, found]) => [key, found?.text]))
  const parsed = v.safeParse(v.object(definitionsOf(keys)), texts)
  for (const issue of parsed.issues ?? []) {
    const key = issue.path?.[0]?.key as SettingKey
    faults.push(faultText(key, given.get(key)))
  }
  return { given, texts, values: parsed.success ? parsed.output : undefined }
}
