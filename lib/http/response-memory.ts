/** Memory of responses that were sent. */

/** Smaller bodies are left to the garbage collector: freeing them by hand is not worth its time. */
const ownBytesMin = 65_536

/**
 * Frees the memory of a sent body at once. If it is left to the garbage collector, dead bodies pile up to hundreds of
 * megabytes: the collector counts live bytes, and bodies of slow clients have reached the old generation by then. Bytes
 * before the body that are not sent, such as kept headers, are freed, too. A buffer that continues after the body is
 * left to the garbage collector.
 */
export function releaseResponse({ buffer, byteOffset, byteLength }: Uint8Array): void {
  const isToEnd = byteOffset + byteLength === buffer.byteLength
  if (isToEnd && buffer instanceof ArrayBuffer) buffer.transfer(0)
}

/** As releaseResponse(), if the body is large enough. */
export function releaseLarge(body: Uint8Array): void {
  if (body.length >= ownBytesMin) releaseResponse(body)
}
