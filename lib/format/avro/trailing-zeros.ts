/**
 * Removes trailing zeros from the digits after a point. A regular expression would take quadratic time: it searches
 * again from each zero.
 */
export function withoutTrailingZeros(digits: string): string {
  let end = digits.length
  while (digits[end - 1] === '0') end--
  return digits.slice(0, end)
}
