/** Reads the wire format as the library does, but for a slip of it. */
import protobuf from 'protobufjs'

const startGroup = 3

export class WireReader extends protobuf.Reader {
  /** Groups in a group have their numbers: to try each in two ways would double the time with each level. */
  #isInGroup = false

  /**
   * Passes over a field that is not known. In a message that has no fields at all the library gives a group's whole tag for its number, and
   * would refuse the group where its end has the number.
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
