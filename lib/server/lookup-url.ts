/** The URL of a key, for a person to try. */

const unreserved = /^[A-Za-z0-9._~-]$/

/**
 * @param url of the server, without a slash at the end
 * @param key bytes of the key's text, not percent-encoded
 */
export function lookupUrl(url: string, storeId: string, key: Uint8Array): string {
  const encoded = Array.from(key, encodeByte).join('')
  // Clients normalise a path with such parts before they send it.
  return isLostInPath(encoded) ? `${url}/stores/${storeId}?key=${encoded}` : `${url}/stores/${storeId}/${encoded}`
}

function encodeByte(byte: number): string {
  const character = String.fromCharCode(byte)
  return unreserved.test(character) ? character : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`
}

/** Slashes are encoded, so only a whole key can be one of these. */
function isLostInPath(encoded: string): boolean {
  return encoded === '' || encoded === '.' || encoded === '..'
}
