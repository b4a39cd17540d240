/** A labelled input, with what is wrong with it. Text is 16 px on phones, so that they do not zoom in. */

import {
  type InputHTMLAttributes,
  type ReactNode,
  type SelectHTMLAttributes,
  type TextareaHTMLAttributes,
  useId,
} from "react";

const BOX =
  "min-h-10 w-full rounded-lg border border-line-strong bg-surface px-3 text-ink placeholder:text-faint disabled:bg-sunken disabled:text-muted aria-invalid:border-danger max-md:min-h-11 max-md:text-[1rem] focus:border-accent focus:outline-2 focus:-outline-offset-1 focus:outline-accent";

interface Labelled {
  label: string;
  hint?: ReactNode;
  /** Why it is refused; said below it. */
  error?: string | null;
}

/** What ties an input to the words around it. */
interface Ties {
  id: string;
  "aria-describedby": string | undefined;
  "aria-invalid": true | undefined;
}

function Frame({
  label,
  hint,
  error,
  children,
}: Labelled & { children: (ties: Ties) => ReactNode }) {
  const id = useId();
  const hasError = error !== undefined && error !== null;
  const described = [hint && `${id}-hint`, hasError && `${id}-error`].filter(Boolean).join(" ");
  return (
    <div className="flex flex-col gap-1.5 text-left">
      <label htmlFor={id} className="text-sm font-medium text-ink">
        {label}
      </label>
      {children({
        id,
        "aria-describedby": described || undefined,
        "aria-invalid": hasError || undefined,
      })}
      {hasError && (
        <p id={`${id}-error`} role="alert" className="text-xs font-medium text-danger">
          {error}
        </p>
      )}
      {hint && (
        <p id={`${id}-hint`} className="text-xs text-muted">
          {hint}
        </p>
      )}
    </div>
  );
}

export function Field({
  label,
  hint,
  error,
  ...rest
}: Labelled & InputHTMLAttributes<HTMLInputElement>) {
  return (
    <Frame label={label} hint={hint} error={error}>
      {(ties) => <input className={BOX} {...ties} {...rest} />}
    </Frame>
  );
}

export function TextArea({
  label,
  hint,
  error,
  className = "",
  ...rest
}: Labelled & TextareaHTMLAttributes<HTMLTextAreaElement>) {
  return (
    <Frame label={label} hint={hint} error={error}>
      {(ties) => <textarea className={`${BOX} py-2 ${className}`} {...ties} {...rest} />}
    </Frame>
  );
}

export function Choice({
  label,
  hint,
  error,
  options,
  ...rest
}: Labelled &
  SelectHTMLAttributes<HTMLSelectElement> & {
    options: readonly { value: string; text: string }[];
  }) {
  return (
    <Frame label={label} hint={hint} error={error}>
      {(ties) => (
        <select className={BOX} {...ties} {...rest}>
          {options.map((option) => (
            <option key={option.value} value={option.value}>
              {option.text}
            </option>
          ))}
        </select>
      )}
    </Frame>
  );
}

/** On or off, with what that means. */
export function Check({
  label,
  hint,
  ...rest
}: {
  label: string;
  hint?: string;
} & InputHTMLAttributes<HTMLInputElement>) {
  const id = useId();
  return (
    <div className="flex gap-3">
      <input
        id={id}
        type="checkbox"
        aria-describedby={hint ? `${id}-hint` : undefined}
        className="mt-px size-4.5 shrink-0 accent-(--accent) max-md:size-5.5"
        {...rest}
      />
      <div className="min-w-0 text-left">
        <label htmlFor={id} className="block text-sm font-medium text-ink">
          {label}
        </label>
        {hint && (
          <p id={`${id}-hint`} className="text-xs text-muted">
            {hint}
          </p>
        )}
      </div>
    </div>
  );
}
