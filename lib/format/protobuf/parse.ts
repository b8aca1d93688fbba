/** Parses a .proto text, and corrects differences between the library's parser and protoc. */
import protobuf from 'protobufjs'

/** Fields keep their original names, so that two names that differ only in underscores stay distinct. */
export function parseProto(text: string, root: protobuf.Root): protobuf.IParserResult {
  const { util } = protobuf
  const { lcFirst } = util
  // The library's parser names the field of a group with lcFirst; protoc uses the whole name in lower case. The parser
  // uses lcFirst for nothing else.
  util.lcFirst = (name) => name.toLowerCase()
  try {
    return protobuf.parse(text, root, { keepCase: true })
  } finally {
    util.lcFirst = lcFirst
  }
}
