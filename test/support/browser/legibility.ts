/** Whether a person can read a page: contrast of its text (WCAG 2.2, AA) and nothing beyond the width of the window. */
import type { BrowserPage } from './browser-page.ts'

/** Returns texts whose contrast is below 4.5 (3 for large ones), as `ratio text`. */
export function faintTexts(page: BrowserPage): Promise<string[]> {
  return page.evaluate(`(${faint.toString()})()`)
}

/** Returns elements that are wider than the window, unless they can be scrolled. */
export function wideElements(page: BrowserPage): Promise<string[]> {
  return page.evaluate(`(${wide.toString()})()`)
}

// They run in the page, where there is a document. The types of a browser are not known here.
interface PageElement {
  readonly tagName: string
  readonly className: string
  readonly disabled?: boolean
  readonly parentElement: PageElement
  readonly childNodes: Iterable<{ nodeType: number; data: string }>
  closest(selector: string): PageElement | null
  getClientRects(): { length: number }
  getBoundingClientRect(): { right: number; width: number }
}
declare const document: { querySelectorAll(selector: string): Iterable<PageElement> }
declare const getComputedStyle: (element: PageElement) => Record<'color' | 'backgroundColor' | 'fontSize', string>
declare const innerWidth: number

function faint(): string[] {
  const channels = (color: string) => (color.match(/[\d.]+/g) ?? []).map(Number)
  const luminance = (color: string) => {
    const [red, green, blue] = channels(color).map((channel) => {
      const part = channel / 255
      return part <= 0.040_45 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4
    })
    return 0.2126 * red! + 0.7152 * green! + 0.0722 * blue!
  }
  const backgroundOf = (element: PageElement): string => {
    const { backgroundColor } = getComputedStyle(element)
    return (channels(backgroundColor)[3] ?? 1) > 0 ? backgroundColor : backgroundOf(element.parentElement)
  }
  const found: string[] = []
  for (const element of document.querySelectorAll('body *')) {
    const text = [...element.childNodes]
      .filter((node) => node.nodeType === 3)
      .map((node) => node.data)
      .join('')
      .trim()
    if (text === '' || element.getClientRects().length === 0 || element.disabled) continue
    const { color, fontSize } = getComputedStyle(element)
    const [dark, light] = [luminance(color), luminance(backgroundOf(element))].toSorted((a, b) => a - b)
    const ratio = (light! + 0.05) / (dark! + 0.05)
    if (ratio < (Number.parseFloat(fontSize) >= 24 ? 3 : 4.5)) found.push(`${ratio.toFixed(2)} ${text.slice(0, 40)}`)
  }
  return found
}

function wide(): string[] {
  const found: string[] = []
  for (const element of document.querySelectorAll('body *')) {
    const scrolls = element.closest('code, .scroll, pre')
    const { right, width } = element.getBoundingClientRect()
    if (right > innerWidth + 0.5 && width > 0 && (scrolls === null || scrolls === element)) {
      found.push(`${element.tagName}.${element.className} ${Math.round(right)}`)
    }
  }
  return found
}
