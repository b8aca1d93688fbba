/** A part of the page's state. It draws the page again when it has changed. */
import type { Api } from './api.ts'

export class Part {
  protected readonly api: Api
  protected readonly draw: () => void

  constructor(api: Api, draw: () => void) {
    this.api = api
    this.draw = draw
  }
}
