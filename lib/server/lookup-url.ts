/** The URL of a key, for a person to try. */
import { percentEncoded } from '../http/key.ts'

/**
 * @param url of the server, without a slash at the end
 * @param key bytes of the key's text, not percent-encoded
 */
export function lookupUrl(url: string, storeId: string, key: Uint8Array): string {
  const encoded = percentEncoded(key)
  // Clients normalise a path with such parts before they send it.
  return isLostInPath(encoded) ? `${url}/stores/${storeId}?key=${encoded}` : `${url}/stores/${storeId}/${encoded}`
}

/** Slashes are encoded, so only a whole key can be one of these. */
function isLostInPath(encoded: string): boolean {
  return encoded === '' || encoded === '.' || encoded === '..'
}
