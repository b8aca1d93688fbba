import type { BrowserPage } from './browser-page.ts'

/** Looks a key up, as a person does with the keyboard. */
export async function lookUp(page: BrowserPage, key: string): Promise<void> {
  await page.evaluate('document.querySelector("#key").select()')
  await page.type(key)
  await page.press('Enter')
}
