/**
 * Reads the settings for formats together: each format with the settings that belong to it.
 * Makes each codec once to check it. Finds all errors, so that the user can correct them together.
 */
import * as v from 'valibot'
import { LatchkeyError, messageOf } from '../errors.ts'
import { codecOf, type FormatsConfig, type FormatSpec, type RegistryConfig } from '../format/index.ts'
import { formatDefinitions, formatNames } from './definitions/formats.ts'
import { missingFault } from './missing-setting.ts'
import { findPath, notFound } from './paths.ts'
import { quote } from './quote.ts'
import { readRegistry } from './schema-registry.ts'
import type { SettingText } from './secrets.ts'

export type FormatKey = keyof typeof formatDefinitions
export type GivenFormats = ReadonlyMap<string, SettingText | undefined>

export interface Topics {
  /** Empty for a replica without a source topic. */
  sourceTopic: string
  changelogTopic: string
}

export interface FormatsRead {
  /** Undefined if all bytes pass through unchanged, or if there are errors. */
  formats: FormatsConfig | undefined
  faults: readonly string[]
  notices: readonly string[]
}

type Name = (typeof formatNames)[number]
type PartName = 'key' | 'value' | 'store'

/**
 * @param given texts by setting; may include other settings
 * @param directories where files are looked up, first match wins
 * @param topics undefined if their settings have errors
 */
export function formatsOf(given: GivenFormats, directories: readonly string[], topics?: Topics): FormatsRead {
  const registry = readRegistry(given.get('schemaRegistryUrl'), given.get('schemaRegistryCredentials'))
  const reader = new FormatsReader(given, directories, registry.config)
  const key = reader.specOf('key', topics?.sourceTopic && `${topics.sourceTopic}-key`)
  const value = reader.specOf('value', topics?.sourceTopic && `${topics.sourceTopic}-value`)
  const store = reader.storeSpec(value, topics && `${topics.changelogTopic}-value`)
  reader.refuseWithoutEffect()
  if (key?.format === 'registry' && topics && !key.subject) {
    reader.faults.push(
      missingFault('sourceTopic', 'keys are looked up by the latest schema of its subject in the registry'),
    )
  }
  const faults = [...new Set([...registry.faults, ...reader.faults])]
  if (!key || !value || !store || faults.length > 0) return { formats: undefined, faults, notices: [] }
  const isPlain = [key, value, store].every(({ format }) => format === 'raw')
  return { formats: isPlain ? undefined : Object.freeze({ key, value, store }), faults, notices: registry.notices }
}

class FormatsReader {
  readonly faults: string[] = []
  readonly #given: GivenFormats
  readonly #directories: readonly string[]
  readonly #registry: RegistryConfig | undefined
  /** Settings that have an effect. */
  readonly #used = new Set<FormatKey>(['keyFormat', 'valueFormat', 'storeFormat', 'schemaRegistryCredentials'])

  constructor(given: GivenFormats, directories: readonly string[], registry: RegistryConfig | undefined) {
    this.#given = given
    this.#directories = directories
    this.#registry = registry
  }

  /** @returns undefined if it is wrong; `faults` then says why */
  specOf(part: PartName, subject: string | undefined, name = this.#nameOf(part)): FormatSpec | undefined {
    if (name === undefined) return this.#ignore(part)
    if (name === 'protobuf' && (this.#text(`${part}Message`) || !this.#text('schemaRegistryUrl'))) {
      return this.#protobufSpec(part)
    }
    if (name === 'avro' && (this.#text(`${part}SchemaFile`) || !this.#text('schemaRegistryUrl'))) {
      return this.#avroSpec(part)
    }
    if (name !== 'protobuf' && name !== 'avro' && name !== 'json-schema') return { format: name }
    return this.#registrySpec(part, name === 'json-schema' ? 'json' : name, subject)
  }

  /** Returns the format of stored values. By default it is the format of the topic's values. */
  storeSpec(value: FormatSpec | undefined, subject: string | undefined): FormatSpec | undefined {
    const valueName = this.#nameOf('value')
    const isNamed = this.#text('storeFormat') !== undefined
    const name = isNamed ? this.#nameOf('store') : valueName
    if (name === undefined || valueName === undefined) return this.#ignore('store')
    const isSame = name === valueName && !this.#text('storeMessage') && !this.#text('storeSchemaFile')
    if (isSame) return value
    if (valueName === 'raw' && name !== 'raw') {
      return this.#fault('storeFormat', 'VALUE_FORMAT has to say what it is converted from')
    }
    if (name === 'raw' && valueName !== 'raw') {
      return this.#fault('storeFormat', 'it is not a format to convert to; leave it out to store values as they are')
    }
    return this.specOf('store', subject, name)
  }

  refuseWithoutEffect(): void {
    const reasons: [FormatKey, string][] = [
      ...(['key', 'value', 'store'] as const).flatMap((part): [FormatKey, string][] => {
        const format = variableOf(part === 'store' && !this.#text('storeFormat') ? 'valueFormat' : `${part}Format`)
        return [
          [`${part}Message`, `${format} is not protobuf`],
          [`${part}SchemaFile`, `${format} is not avro`],
        ]
      }),
      ['protoFile', 'no format is protobuf with a message of it'],
      ['protoPath', 'no format is protobuf with a message of PROTO_FILE'],
      ['schemaRegistryUrl', 'no format is avro, protobuf or json-schema without a schema file'],
    ]
    for (const [key, reason] of reasons) {
      if (this.#text(key) && !this.#used.has(key)) this.#fault(key, `it has no effect: ${reason}`)
    }
  }

  #protobufSpec(part: PartName): FormatSpec | undefined {
    const messageKey = `${part}Message` as const
    for (const key of [messageKey, 'protoFile', 'protoPath'] as const) this.#used.add(key)
    const message = this.#text(messageKey)
    const format = `${variableOf(`${part}Format`)}=protobuf`
    if (!this.#text('protoFile')) {
      this.faults.push(missingFault('protoFile', `${format} needs the file of its message, or SCHEMA_REGISTRY_URL`))
    }
    if (!message) this.faults.push(missingFault(messageKey, `${format} needs the full name of its message`))
    const file = this.#find('protoFile', 'file')
    const include = this.#include()
    if (!message || !file || !include) return undefined
    return this.#checked(part, { format: 'protobuf', file, message, ...(include.length > 0 && { include }) })
  }

  #avroSpec(part: PartName): FormatSpec | undefined {
    const fileKey = `${part}SchemaFile` as const
    this.#used.add(fileKey)
    if (!this.#text(fileKey)) {
      const found = `${variableOf(`${part}Format`)}=avro needs the file of its schema, or SCHEMA_REGISTRY_URL`
      return void this.faults.push(missingFault(fileKey, found))
    }
    const file = this.#find(fileKey, 'file')
    return file === undefined ? undefined : this.#checked(part, { format: 'avro', file })
  }

  #registrySpec(
    part: PartName,
    kind: 'avro' | 'protobuf' | 'json',
    subject: string | undefined,
  ): FormatSpec | undefined {
    const format = `${variableOf(`${part}Format`)}=${kind === 'json' ? 'json-schema' : kind}`
    if (!this.#text('schemaRegistryUrl')) {
      return void this.faults.push(
        missingFault('schemaRegistryUrl', `${format} is read with the schemas of a registry`),
      )
    }
    this.#used.add('schemaRegistryUrl')
    if (!this.#registry) return undefined
    return this.#checked(part, { format: 'registry', kind, registry: this.#registry, ...(subject && { subject }) })
  }

  /** Makes the codec only to find errors and discards it. */
  #checked(part: PartName, spec: FormatSpec): FormatSpec | undefined {
    try {
      codecOf(spec)
      return spec
    } catch (error) {
      const { part: found = 'format', found: text } = (error instanceof LatchkeyError ? error.details : {}) as Record<
        string,
        string
      >
      const keys: Record<string, FormatKey> = {
        file: spec.format === 'protobuf' ? 'protoFile' : `${part}SchemaFile`,
        message: `${part}Message`,
        registry: 'schemaRegistryUrl',
      }
      return this.#fault(keys[found] ?? `${part}Format`, text ?? messageOf(error))
    }
  }

  #include(): string[] | undefined {
    const names = (this.#text('protoPath') ?? '').split(',').map((name) => name.trim())
    const found = names
      .filter((name) => name !== '')
      .map((name) => findPath(name, 'directory', this.#directories) ?? { name })
    for (const one of found) {
      if (typeof one !== 'string') {
        this.#fault('protoPath', `${quote(one.name)}: ${notFound(one.name, 'directory', this.#directories)}`)
      }
    }
    return found.every((one) => typeof one === 'string') ? found : undefined
  }

  #find(key: FormatKey, kind: 'file'): string | undefined {
    const path = this.#text(key)
    if (path === undefined) return undefined
    return findPath(path, kind, this.#directories) ?? this.#fault(key, notFound(path, kind, this.#directories))
  }

  /**
   * An unknown format is one error: marks the settings that belong to it as used, so that they are not reported as
   * without effect.
   */
  #ignore(part: PartName): undefined {
    for (const key of [`${part}Message`, `${part}SchemaFile`, 'protoFile', 'protoPath', 'schemaRegistryUrl'] as const) {
      this.#used.add(key)
    }
  }

  /** Undefined if the text is not the name of a format. */
  #nameOf(part: PartName): Name | undefined {
    const text = this.#text(`${part}Format`) ?? 'raw'
    return formatNames.find((name) => name === text)
  }

  #text(key: FormatKey): string | undefined {
    return this.#given.get(key)?.text
  }

  #fault(key: FormatKey, found: string): undefined {
    const { text = '', origin = '' } = this.#given.get(key) ?? {}
    // A URL may contain a password.
    const shown = key === 'schemaRegistryUrl' ? '' : `=${quote(text)}`
    this.faults.push(`${variableOf(key)}${shown} (${origin}): ${found}`)
  }
}

function variableOf(key: FormatKey): string {
  return (v.getMetadata(formatDefinitions[key]) as { variable: string }).variable
}
