/** Memory of answers that are sent. */

/**
 * Frees it at once. Where it is left to the garbage collector, dead answers pile up by hundreds of megabytes: it counts what is alive, and those of clients
 * that are slow have become old by then. Before a body there may be what is not sent, such as kept headers; what something else lies behind is left to it all the same.
 */
export function giveBack({ buffer, byteOffset, byteLength }: Uint8Array): void {
  const isToEnd = byteOffset + byteLength === buffer.byteLength
  if (isToEnd && buffer instanceof ArrayBuffer) buffer.transfer(0)
}
