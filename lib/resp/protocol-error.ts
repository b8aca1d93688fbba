/** The client's bytes are not a command. The message is Redis's; the connection ends. */
export class ProtocolError extends Error {
  /** @param byte found where the type of an argument should be */
  static ofType(byte: number): ProtocolError {
    const shown = byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '?'
    return new ProtocolError(`expected '$', got '${shown}'`)
  }
}
