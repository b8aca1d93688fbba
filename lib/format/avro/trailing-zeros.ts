/** Of the digits after a point. By hand: a pattern for it looks again from each zero on. */
export function withoutTrailingZeros(digits: string): string {
  let end = digits.length
  while (digits[end - 1] === '0') end--
  return digits.slice(0, end)
}
