/** A small button in a row of them; one with `isOn` is a filter that is on or off. */

import type { ReactNode } from "react";

export function Chip({
  icon,
  count,
  isOn,
  isDisabled = false,
  onToggle,
  children,
}: {
  icon?: ReactNode;
  count?: bigint;
  isOn?: boolean;
  isDisabled?: boolean;
  onToggle: () => void;
  children: ReactNode;
}) {
  return (
    <button
      type="button"
      aria-pressed={isOn}
      disabled={isDisabled}
      onClick={onToggle}
      // On a phone it is 44 px to hit, though not to see.
      className={`relative inline-flex min-h-7 max-w-52 shrink-0 items-center gap-1.5 rounded-full border px-2.5 text-xs font-medium transition-colors disabled:opacity-50 max-md:min-h-9 max-md:after:absolute max-md:after:inset-x-0 max-md:after:-inset-y-1 ${
        isOn
          ? "border-transparent bg-accent-soft text-accent-text"
          : "border-line-strong text-muted hover:bg-hover hover:text-ink"
      }`}
    >
      {icon}
      <span className="truncate">{children}</span>
      {count !== undefined && count > 0n && (
        <span className="tabular-nums">{count.toLocaleString()}</span>
      )}
    </button>
  );
}
