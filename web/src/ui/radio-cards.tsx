/** A few choices that need a sentence each, one of them taken. */

import { useId } from "react";

export function RadioCards<V extends string | number>({
  label,
  value,
  options,
  onChange,
}: {
  label: string;
  value: V;
  options: readonly { value: V; text: string; hint: string }[];
  onChange: (value: V) => void;
}) {
  const name = useId();
  return (
    <fieldset>
      <legend className="sr-only">{label}</legend>
      <div className="grid gap-2 sm:grid-cols-2">
        {options.map((option) => (
          <label
            key={option.value}
            className="flex gap-3 rounded-xl border border-line-strong p-3 transition-colors hover:bg-hover has-checked:border-accent has-checked:bg-selected has-disabled:opacity-60 has-disabled:hover:bg-transparent has-focus-visible:outline-2 has-focus-visible:outline-offset-2 has-focus-visible:outline-accent-text"
          >
            <input
              type="radio"
              name={name}
              className="mt-0.5 size-4 shrink-0 accent-(--accent) outline-none"
              aria-labelledby={`${name}-${option.value}`}
              aria-describedby={`${name}-${option.value}-hint`}
              checked={option.value === value}
              onChange={() => onChange(option.value)}
            />
            <span className="flex min-w-0 flex-col gap-0.5 [overflow-wrap:anywhere]">
              <span id={`${name}-${option.value}`} className="text-sm font-medium">
                {option.text}
              </span>
              <span id={`${name}-${option.value}-hint`} className="text-xs text-muted">
                {option.hint}
              </span>
            </span>
          </label>
        ))}
      </div>
    </fieldset>
  );
}
