/** Exports of the package `latchkey` for store modules. Programs that embed a store import them, too. */
export {
  avro,
  type AvroFormat,
  type CodecSource,
  json,
  type JsonFormat,
  type ModuleFormat,
  type OwnCodec,
  protobuf,
  type ProtobufFormat,
  registry,
  type RegistryFormat,
  type RegistryOptions,
  type ValidatedFormat,
  type ValueOf,
} from './codec-source.ts'
export { defineStore, type StoreOptions } from './define-store.ts'
export { type Definition, skip, type SourceRecord } from './definition.ts'
