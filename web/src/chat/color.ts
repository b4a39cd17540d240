/** The business's accent colour, and the text colour that can be read on it. */

const HEX = /^#[0-9a-f]{6}$/iu;

export function safeColor(color: string | undefined): string | null {
  return color !== undefined && HEX.test(color) ? color : null;
}

/** Relative luminance as WCAG defines it. */
function luminance(color: string): number {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => {
    const part = Number.parseInt(color.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

/** White as long as it can be read, black otherwise. */
export function inkOn(color: string): "#ffffff" | "#14171f" {
  return 1.05 / (luminance(color) + 0.05) >= 4.5 ? "#ffffff" : "#14171f";
}
