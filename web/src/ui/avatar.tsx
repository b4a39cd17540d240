/** A person as initials on a colour of their own: the same name always has the same one. */

import type { ReactNode } from "react";

function hueOf(key: string): number {
  // FNV-1a: ids that differ in one digit must not look the same.
  let hash = 0x811c9dc5;
  for (const character of key) {
    hash = Math.imul(hash ^ (character.codePointAt(0) ?? 0), 0x01000193);
  }
  return ((hash >>> 0) * 2.399963) % 360;
}

function initialsOf(name: string): string {
  const words = name.trim().split(/\s+/u).filter(Boolean);
  const first = [...(words[0] ?? "")][0] ?? "";
  const last = words.length > 1 ? ([...(words.at(-1) ?? "")][0] ?? "") : "";
  return (first + last).toLocaleUpperCase() || "?";
}

const SIZES = {
  tiny: "size-4.5 text-[0.5rem]",
  small: "size-6 text-[0.625rem]",
  medium: "size-9 text-xs",
  large: "size-11 text-sm",
};

export function Avatar({
  name,
  colorKey = name,
  size = "medium",
  badge,
  icon,
}: {
  name: string;
  colorKey?: string;
  size?: keyof typeof SIZES;
  badge?: ReactNode;
  /** Instead of initials, for somebody without a name. */
  icon?: ReactNode;
}) {
  const hue = hueOf(colorKey);
  return (
    <span aria-hidden="true" className="relative inline-flex shrink-0">
      <span
        // As generated content: a picture, not words of the control around it.
        data-initials={icon === undefined ? initialsOf(name) : ""}
        className={`inline-grid place-items-center rounded-full font-semibold select-none ${icon === undefined ? "before:content-[attr(data-initials)]" : ""} ${SIZES[size]}`}
        style={{
          backgroundColor: `light-dark(oklch(0.92 0.045 ${hue}), oklch(0.34 0.05 ${hue}))`,
          color: `light-dark(oklch(0.42 0.09 ${hue}), oklch(0.88 0.06 ${hue}))`,
        }}
      >
        {icon}
      </span>
      {badge}
    </span>
  );
}
