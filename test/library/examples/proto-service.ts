/** What a .proto file says of a service, as grpc-js wants it, for servers and clients. Calls without streams only. */
import type { ServiceDefinition } from '@grpc/grpc-js'
import protobuf from 'protobufjs'

/** @param name full name of the service, such as `orders.v1.Orders` */
export async function serviceOf(file: string, name: string): Promise<ServiceDefinition> {
  const root = (await protobuf.load(file)).resolveAll()
  const methods = root.lookupService(name).methodsArray.map((method) => {
    const { serialize: requestSerialize, deserialize: requestDeserialize } = codecOf(method.resolvedRequestType!)
    const { serialize: responseSerialize, deserialize: responseDeserialize } = codecOf(method.resolvedResponseType!)
    const definition = {
      path: `/${name}/${method.name}`,
      requestStream: false as const,
      responseStream: false as const,
      requestSerialize,
      requestDeserialize,
      responseSerialize,
      responseDeserialize,
      originalName: method.name[0]!.toLowerCase() + method.name.slice(1),
    }
    return [method.name, definition] as const
  })
  return Object.fromEntries(methods)
}

function codecOf(type: protobuf.Type) {
  return {
    serialize: (value: object) => Buffer.from(type.encode(value).finish()),
    deserialize: (bytes: Buffer) => type.toObject(type.decode(bytes), { longs: Number, defaults: true }),
  }
}
