/** What checks of documents look at: links, anchors of headings, lines of prose. */
import { dirname, join } from 'node:path'

/** Where a document leads within the repository: `path` from its top, `anchor` without #, either of them perhaps empty. */
export interface Link {
  path: string
  anchor: string
}

/** Lines outside of code, spans of code left out. */
function proseOf(document: string): string[] {
  let isCode = false
  return document.split('\n').filter((line) => {
    const isFence = line.trimStart().startsWith('```')
    if (isFence) isCode = !isCode
    return !isFence && !isCode
  })
}

/** Links that are relative, as paths from the top of the repository. @param path of the document */
export function linksOf(path: string, document: string): Link[] {
  const text = proseOf(document)
    .join('\n')
    .replaceAll(/`[^`\n]*`/g, '')
  const inline = [...text.matchAll(/\]\(([^)\s]+)\)/g)]
  const defined = [...text.matchAll(/^\[[^\]]+\]: (\S+)$/gm)]
  return [...inline, ...defined]
    .map(([, target]) => target!)
    .filter((target) => !/^[a-z]+:/.test(target))
    .map((target) => {
      const [file = '', anchor = ''] = target.split('#')
      return { path: file === '' ? path : join(dirname(path), file), anchor }
    })
}

/** Anchors of a document's headings, as GitHub makes them. */
export function anchorsOf(document: string): string[] {
  const seen = new Map<string, number>()
  return proseOf(document)
    .filter((line) => /^#{1,6} /.test(line))
    .map((line) => {
      const title = line.replace(/^#+ /, '').replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1')
      const slug = title
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N}_ -]/gu, '')
        .replaceAll(' ', '-')
      const count = seen.get(slug) ?? 0
      seen.set(slug, count + 1)
      return count === 0 ? slug : `${slug}-${count}`
    })
}

/** Neither code nor tables, with their numbers, counted from 1. */
export function longLines(document: string, max: number): number[] {
  const prose = new Set(proseOf(document).filter((line) => !line.startsWith('|')))
  return document.split('\n').flatMap((line, index) => (prose.has(line) && line.length > max ? [index + 1] : []))
}
