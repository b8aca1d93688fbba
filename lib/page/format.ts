/** Numbers, sizes and times as a person reads them. What is not known is a dash. */
type Figure = number | null | undefined

const unknown = '–'
const whole = new Intl.NumberFormat('en')
const rounded = new Intl.NumberFormat('en', { maximumSignificantDigits: 3 })
const compact = new Intl.NumberFormat('en', { notation: 'compact', maximumSignificantDigits: 3 })

/** Returns a whole number, such as `12,345`. */
export function count(value: Figure): string {
  return isKnown(value) ? whole.format(value) : unknown
}

/** Returns about three digits, such as `0.4`, `845`, `12.3K`, `1.24M`. */
export function short(value: Figure): string {
  return isKnown(value) ? compact.format(value) : unknown
}

/** Returns a size, such as `512 B`, `64 KiB`, `1.5 GiB`. */
export function bytes(value: Figure): string {
  if (!isKnown(value)) return unknown
  const power = value < 1024 ? 0 : Math.min(4, Math.floor(Math.log2(value) / 10))
  return `${rounded.format(value / 1024 ** power)} ${['B', 'KiB', 'MiB', 'GiB', 'TiB'][power]}`
}

const units = [
  ['d', 86_400],
  ['h', 3_600],
  ['min', 60],
  ['s', 1],
] as const

/** Returns the two largest units of a time, such as `42 s`, `3 min 5 s`, `4 d 7 h`. */
export function duration(seconds: Figure): string {
  if (!isKnown(seconds)) return unknown
  let rest = Math.round(seconds)
  const first = units.findIndex(([, size]) => rest >= size)
  if (first < 0) return '0 s'
  const parts = units.slice(first, first + 2).map(([unit, size]) => {
    const number = Math.floor(rest / size)
    rest -= number * size
    return number > 0 ? `${number} ${unit}` : ''
  })
  return parts.join(' ').trim()
}

/** Returns a time in ms, such as `0.084 ms`. */
export function milliseconds(value: Figure): string {
  return isKnown(value) ? `${rounded.format(value)} ms` : unknown
}

/** Returns date and time in UTC, as logs have them: `2026-11-23 16:54:13.221`. */
export function instant(ms: Figure): string {
  return isKnown(ms) && ms >= 0 && ms < 8.64e15 ? new Date(ms).toISOString().slice(0, -1).replace('T', ' ') : unknown
}

/** Returns the time of a day in UTC: `16:54:13`. */
export function clock(ms: Figure): string {
  return instant(ms).slice(-12, -4) || unknown
}

function isKnown(value: Figure): value is number {
  return Number.isFinite(value)
}
