/** A few choices side by side, one of them taken. */

import type { ReactNode } from "react";

export function Segments<V extends string>({
  label,
  value,
  options,
  onChange,
  isDisabled = false,
  className = "",
}: {
  label: string;
  value: V;
  options: readonly { value: V; text: ReactNode }[];
  onChange: (value: V) => void;
  isDisabled?: boolean;
  className?: string;
}) {
  return (
    <fieldset
      disabled={isDisabled}
      className={`flex rounded-[0.625rem] bg-canvas p-0.5 disabled:opacity-60 ${className}`}
    >
      <legend className="sr-only">{label}</legend>
      {options.map((option) => {
        const isTaken = option.value === value;
        return (
          <button
            key={option.value}
            type="button"
            aria-pressed={isTaken}
            onClick={() => {
              if (!isTaken) onChange(option.value);
            }}
            className={`inline-flex min-h-8 flex-1 items-center justify-center gap-1.5 rounded-lg px-3 text-sm font-medium transition-colors max-md:min-h-10 ${
              isTaken
                ? "bg-raised text-ink shadow-[0_1px_2px_var(--shadow)]"
                : "text-muted hover:text-ink"
            }`}
          >
            {option.text}
          </button>
        );
      })}
    </fieldset>
  );
}
