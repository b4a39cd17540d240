/** A part of the panel with its name, and the button that changes it. */

import { type ReactNode, useId } from "react";

export function Section({
  title,
  action,
  children,
}: {
  title: string;
  action?: ReactNode;
  children: ReactNode;
}) {
  const id = useId();
  return (
    <section
      aria-labelledby={id}
      className="flex flex-col gap-2 border-b border-line px-5 py-4 last:border-b-0"
    >
      <div className="flex min-h-9 items-center justify-between gap-3">
        <h3 id={id} className="text-sm font-semibold">
          {title}
        </h3>
        {action}
      </div>
      {children}
    </section>
  );
}

export function Nothing({ children }: { children: ReactNode }) {
  return <p className="text-sm text-muted">{children}</p>;
}

/** A small button of a section's head or of one of its lines. */
export function TextButton({
  label,
  of = "",
  onClick,
}: {
  label: string;
  /** What it is about, where that can be seen. */
  of?: string;
  onClick: () => void;
}) {
  return (
    <button
      type="button"
      onClick={onClick}
      className="relative min-h-7 rounded-md px-1.5 text-xs font-medium text-accent-text hover:bg-hover max-md:min-h-9 max-md:after:absolute max-md:after:inset-x-0 max-md:after:-inset-y-1"
    >
      {label}
      {of !== "" && <span className="sr-only"> {of}</span>}
    </button>
  );
}
