/** A .proto text, with what the library's parser makes otherwise than protoc does. */
import protobuf from 'protobufjs'

/** Fields keep their names as they are written, so that two that differ in their underscores only can be told apart. */
export function parseProto(text: string, root: protobuf.Root): protobuf.IParserResult {
  const { util } = protobuf
  const { lcFirst } = util
  // Its parser names the field of a group by this; protoc by the whole name in lower case. No other name goes through it while it parses.
  util.lcFirst = (name) => name.toLowerCase()
  try {
    return protobuf.parse(text, root, { keepCase: true })
  } finally {
    util.lcFirst = lcFirst
  }
}
