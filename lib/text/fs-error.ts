/** Describes why a file cannot be read, for the user who named the file. */

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  ENOTDIR: 'a part of its path is not a directory',
  EISDIR: 'it is a directory',
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  ELOOP: 'its symbolic links lead in a circle',
  EMFILE: 'too many files are open',
  ENAMETOOLONG: 'its path is too long',
}

/**
 * @param thrown by a function of node:fs, or an Error that says what is wrong
 * @returns the reason that completes "… cannot be read: "
 */
export function whyUnreadable(thrown: unknown): string {
  const { code, message } = thrown as NodeJS.ErrnoException
  if (code === undefined) return message
  return reasons[code] === undefined ? code : `${reasons[code]} (${code})`
}
