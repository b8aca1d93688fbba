/** The token that clients have to send. Another one can replace it while clients are connected. */
import { secretCheck } from './secret.ts'

export class Token {
  #check: ((given: string) => boolean) | undefined

  /** @param text undefined if no token is required */
  constructor(text: string | undefined) {
    this.#check = text === undefined ? undefined : secretCheck(text)
  }

  static of(token: Token | string | undefined): Token {
    return token instanceof Token ? token : new Token(token)
  }

  get isRequired(): boolean {
    return this.#check !== undefined
  }

  /** Compares in constant time. Any text is right if no token is required. */
  isRight(given: string): boolean {
    return this.#check === undefined || this.#check(given)
  }

  /** From now on, only another token is right. */
  replace(text: string): void {
    this.#check = secretCheck(text)
  }
}
