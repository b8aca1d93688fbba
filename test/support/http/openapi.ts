/** The OpenAPI document as its readers see it, and the requests of its examples. */
import Ajv, { type ValidateFunction } from 'ajv/dist/2020.js'
import { openapiText } from '../../../lib/http/openapi/index.ts'

export interface Operation {
  operationId: string
  parameters?: { name: string; in: string; example?: unknown; examples?: Examples }[]
  requestBody?: { content: { 'application/json': Media } }
  responses: Record<string, { content?: Record<string, Media> }>
}

interface Media {
  schema: object
  'x-itemSchema'?: object
  examples?: Examples
}

type Examples = Record<string, { value: unknown; 'x-schema'?: object }>

interface Document {
  paths: Record<string, Record<string, Operation> & { 'x-oai-additionalOperations'?: Record<string, Operation> }>
  components: { schemas: Record<string, object> }
}

export const openapi = JSON.parse(openapiText('1.2.3')) as Document

/** Path, method in capitals, and operation of everything in the document. */
export const operations = Object.entries(openapi.paths).flatMap(([path, item]) => {
  const { 'x-oai-additionalOperations': others = {}, ...methods } = item
  return Object.entries({ ...methods, ...others }).map(([method, operation]) => {
    return { path, method: method.toUpperCase(), operation }
  })
})

/** An example: a request, and what the document says about its answer. */
export interface Example {
  /** Such as `GET /stores/{id}: page`. */
  title: string
  method: string
  target: string
  headers: Record<string, string>
  body: string | undefined
  status: number
  mediaType: string
  media: Media
  /** Of the answer. */
  value: unknown
}

export const examples: readonly Example[] = operations.flatMap(({ path, method, operation }) => {
  return Object.entries(operation.responses).flatMap(([status, { content = {} }]) => {
    return Object.entries(content).flatMap(([mediaType, media]) => {
      return Object.entries(media.examples ?? {}).map(([name, { value, 'x-schema': schema = media.schema }]) => {
        const body = operation.requestBody?.content['application/json'].examples?.[name]?.value
        return {
          title: `${method} ${path}: ${name}`,
          method,
          ...requestOf(path, operation, name, mediaType, body !== undefined),
          body: body === undefined ? undefined : JSON.stringify(body),
          status: Number(status),
          mediaType,
          media: { ...media, schema },
          value,
        }
      })
    })
  })
})

function requestOf(path: string, { parameters = [] }: Operation, name: string, mediaType: string, hasBody: boolean) {
  const query = new URLSearchParams()
  const headers: Record<string, string> = { accept: mediaType, ...(hasBody && { 'content-type': 'application/json' }) }
  let target = path
  for (const parameter of parameters) {
    const value = parameter.examples?.[name]?.value ?? parameter.example
    if (value === undefined) continue
    if (parameter.in === 'path') target = target.replace(`{${parameter.name}}`, encodeURIComponent(String(value)))
    else if (parameter.in === 'header') headers[parameter.name] = String(value)
    else for (const one of [value].flat()) query.append(parameter.name, String(one))
  }
  return { target: query.size > 0 ? `${target}?${query}` : target, headers }
}

/** Returns a function that finds what does not fit a schema of the document, members included that it does not name. */
export function strictValidator(): (schema: object, value: unknown) => string[] {
  const ajv = new Ajv({ strict: false, allErrors: true })
  const schemas = Object.fromEntries(
    Object.entries(openapi.components.schemas).map(([name, schema]) => [name, closed(schema)]),
  )
  ajv.addSchema({ $id: 'https://latchkey.test/', components: { schemas } })
  const compiled = new Map<object, ValidateFunction>()
  return (schema, value) => {
    const validate = compiled.get(schema) ?? ajv.compile(absolute(schema))
    compiled.set(schema, validate)
    validate(value)
    return (validate.errors ?? []).map(({ instancePath, message, params }) => {
      return `${instancePath} ${message} ${JSON.stringify(params)}`
    })
  }
}

/** References to the document's own schemas, from anywhere. */
function absolute(schema: object): object {
  return JSON.parse(JSON.stringify(schema).replaceAll('"#/', '"https://latchkey.test/#/')) as object
}

/** The same schema, without members that it does not name. */
function closed(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(closed)
  if (typeof schema !== 'object' || schema === null) return schema
  const members = Object.fromEntries(Object.entries(schema).map(([name, value]) => [name, closed(value)]))
  const isObject = members['type'] === 'object' && 'properties' in members
  return isObject ? { additionalProperties: false, ...members } : members
}
