/** How large a file is, as people say it: in thousands of bytes, like the systems they use. */

const UNITS = ["B", "kB", "MB", "GB", "TB"];

export function fileSize(sizeBytes: bigint): string {
  let size = Number(sizeBytes);
  let unit = 0;
  // What would be rounded up to a thousand is one of the next unit.
  while (size >= 999.5 && unit < UNITS.length - 1) {
    size /= 1000;
    unit += 1;
  }
  const digits = unit > 0 && size < 9.95 ? 1 : 0;
  return `${size.toFixed(digits)} ${UNITS[unit]}`;
}
