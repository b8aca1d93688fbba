/** Reads the wire format like the library, but works around one of its bugs. */
import protobuf from 'protobufjs'

const startGroup = 3

export class WireReader extends protobuf.Reader {
  /**
   * Whether the reader is in a group. There the library passes correct field numbers. Trying each group in two ways
   * would double the time with each level.
   */
  #isInGroup = false

  /**
   * Skips an unknown field. In a message without any fields, the library passes a group's whole tag as its field
   * number. It then refuses the group, because the group's end has the actual number.
   */
  override skipType(wireType: number, depth = 0, fieldNumber?: number): protobuf.Reader {
    const isGroup = wireType === startGroup && fieldNumber !== undefined
    if (!isGroup || this.#isInGroup) return super.skipType(wireType, depth, fieldNumber)
    const start = this.pos
    this.#isInGroup = true
    try {
      return super.skipType(wireType, depth, fieldNumber)
    } catch (error) {
      if ((fieldNumber & 7) !== startGroup) throw error
      this.pos = start
      return super.skipType(wireType, depth, fieldNumber >>> 3)
    } finally {
      this.#isInGroup = false
    }
  }
}
