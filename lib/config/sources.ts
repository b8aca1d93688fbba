/**
 * The sources of a setting's text: flags override environment variables, which override an env file. Does not check
 * values.
 */
import { realpathSync } from 'node:fs'
import { join } from 'node:path'
import { parseEnv } from 'node:util'
import { whyUnreadable } from '../text/fs-error.ts'
import type { Flags } from './flags.ts'
import { fileVariable, secretOf, type SettingText } from './secrets.ts'
import { nearVariables, variables } from './setting-names.ts'
import { metadataOf, type SettingKey } from './settings.ts'
import { readText, type TextReader } from './text-file.ts'

export type { SettingText }

const envFileBytesMax = 1_048_576

export interface ConfigInput {
  /** Arguments after the name of the program. */
  argv: readonly string[]
  environment: Readonly<Record<string, string | undefined>>
  /** Directories where `.env` is looked up; the first that has one is used. */
  envDirectories: readonly string[]
}

export interface Source {
  /** Where the text comes from, in parentheses after "SERVER_PORT=80a" in messages: `flag`, `environment` or a path. */
  origin: string
  values: ReadonlyMap<string, string>
}

/** The flags that give settings, or say where they are. */
interface SourceFlags extends Pick<Flags, 'faults' | 'valueless' | 'isEnvFileUnread'> {
  readonly envFile?: string | undefined
  readonly values: ReadonlyMap<string, string>
}

/**
 * Reads the env file: the one named by --env-file, else the first `.env` in `directories`, else none.
 * A name that is similar to a setting is an error in this file. Only we read it, so a typo would otherwise go
 * unnoticed.
 */
function readEnvFile(flags: SourceFlags, directories: readonly string[], read: TextReader): Source {
  const { envFile: named, faults, valueless } = flags
  const paths = named === undefined ? envPaths(directories) : [named]
  for (const path of paths) {
    try {
      const text = read(path, envFileBytesMax)
      const values = new Map(Object.entries(parseEnv(text) as Record<string, string>))
      for (const { line, name } of unassigned(text)) {
        faults.push(`line ${line} of ${path} gives ${name} no value: it must be ${name}=<value>`)
        valueless.add(name)
      }
      for (const { name, near } of nearVariables(values.keys())) {
        faults.push(`${name} in ${path} is not a setting: did you mean ${near}?`)
        // Avoids a second error for the same typo.
        if (!values.has(near)) values.set(near, values.get(name)!)
      }
      return { origin: path, values }
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      if (named === undefined && code === 'ENOENT') continue
      faults.push(`${path} cannot be read as env file: ${whyUnreadable(error)}`)
      flags.isEnvFileUnread = true
    }
  }
  return { origin: 'no .env', values: new Map() }
}

/** Returns the sources of all settings, the strongest first. */
export function sourcesOf(
  flags: SourceFlags,
  environment: ConfigInput['environment'],
  directories: readonly string[],
  read = readText,
): Source[] {
  return [
    { origin: 'flag', values: flags.values },
    { origin: 'environment', values: definedValues(environment) },
    readEnvFile(flags, directories, read),
  ]
}

function definedValues(environment: ConfigInput['environment']): Map<string, string> {
  const values = new Map<string, string>()
  for (const [name, value] of Object.entries(environment)) if (value !== undefined) values.set(name, value)
  return values
}

/** Returns each file once, even if two directories are the same. */
function envPaths(directories: readonly string[]): string[] {
  const paths = new Map<string, string>()
  for (const directory of directories) {
    const place = placeOf(directory)
    if (!paths.has(place)) paths.set(place, join(directory, '.env'))
  }
  return [...paths.values()]
}

function placeOf(directory: string): string {
  try {
    return realpathSync(directory)
  } catch {
    return directory
  }
}

/**
 * Finds lines that begin with a setting but lack "=", such as `SOURCE_TOPIC: orders`. parseEnv ignores them. Lines
 * count from 1.
 */
function unassigned(text: string): { line: number; name: string }[] {
  return text.split('\n').flatMap((content, index) => {
    const name = /^\s*(?:export\s+)?([A-Z_]+)(?![A-Za-z0-9_])(?!\s*=)/.exec(content)?.[1]
    return name !== undefined && variables.includes(name) ? [{ line: index + 1, name }] : []
  })
}

/**
 * Returns the text of a setting from the first source that has it; empty text counts as not given. A secret may also
 * come from its file.
 */
export function textOf(
  key: SettingKey,
  sources: readonly Source[],
  faults: string[],
  read = readText,
): SettingText | undefined {
  const { variable, isSecret } = metadataOf(key)
  const plain = firstOf(variable, sources)
  return isSecret ? secretOf(variable, plain, firstOf(fileVariable(variable), sources), faults, read) : plain
}

function firstOf(variable: string, sources: readonly Source[]): SettingText | undefined {
  for (const { origin, values } of sources) {
    const text = values.get(variable)?.trim()
    if (text) return { text, origin, isFile: false }
  }
  return undefined
}
