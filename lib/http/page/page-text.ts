/** The HTML of the page around what it shows without JavaScript, which goes between `<noscript>` and its end. */
export interface PageText {
  readonly head: string
  readonly tail: string
  /** Such as `sha256-…`. */
  readonly scriptHashes: readonly string[]
  readonly styleHashes: readonly string[]
}

export const pageText: PageText = {
  head: '<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n<title>Latchkey</title>\n<noscript>\n',
  tail: '</noscript>\n</html>\n',
  scriptHashes: [],
  styleHashes: [],
}
