/** A labelled input. Text is 16 px on phones, so that they do not zoom in. */

import { type InputHTMLAttributes, type SelectHTMLAttributes, useId } from "react";

const BOX =
  "min-h-10 w-full rounded-lg border border-line-strong bg-surface px-3 text-ink placeholder:text-faint max-md:min-h-11 max-md:text-[1rem] focus:border-accent focus:outline-2 focus:-outline-offset-1 focus:outline-accent";

interface FieldProps extends InputHTMLAttributes<HTMLInputElement> {
  label: string;
  hint?: string;
}

export function Field({ label, hint, ...rest }: FieldProps) {
  const id = useId();
  return (
    <div className="flex flex-col gap-1.5 text-left">
      <label htmlFor={id} className="text-sm font-medium text-ink">
        {label}
      </label>
      <input id={id} aria-describedby={hint ? `${id}-hint` : undefined} className={BOX} {...rest} />
      {hint && (
        <p id={`${id}-hint`} className="text-xs text-muted">
          {hint}
        </p>
      )}
    </div>
  );
}

interface ChoiceProps extends SelectHTMLAttributes<HTMLSelectElement> {
  label: string;
  options: readonly { value: string; text: string }[];
}

export function Choice({ label, options, ...rest }: ChoiceProps) {
  const id = useId();
  return (
    <div className="flex flex-col gap-1.5 text-left">
      <label htmlFor={id} className="text-sm font-medium text-ink">
        {label}
      </label>
      <select id={id} className={BOX} {...rest}>
        {options.map((option) => (
          <option key={option.value} value={option.value}>
            {option.text}
          </option>
        ))}
      </select>
    </div>
  );
}
