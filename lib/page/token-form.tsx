/** Asks for the token. It stays in memory: a reload asks again. */
import { h } from 'preact'
import { focus } from './parts.tsx'

export function TokenForm({ isWrong, send }: { isWrong: boolean; send: (token: string) => void }) {
  return (
    <form
      class="ask"
      onSubmit={(event) => {
        event.preventDefault()
        send(document.querySelector<HTMLInputElement>('#token')!.value.trim())
      }}
    >
      <h1>Latchkey</h1>
      <label for="token">This store needs its token. The page keeps it in memory only.</label>
      <input id="token" ref={focus} type="password" autocomplete="off" aria-describedby="why" required />
      <button>Open</button>
      <p id="why" role="alert" class="bad">
        {isWrong && 'Wrong token'}
      </p>
    </form>
  )
}
