/** Buttons in the few looks there are. A busy one keeps its width and its name. */

import type { ButtonHTMLAttributes, ReactNode } from "react";
import { Spinner } from "./spinner";

type Look = "primary" | "plain" | "quiet" | "danger";

const LOOKS: Record<Look, string> = {
  primary: "bg-accent text-accent-ink hover:bg-accent-hover",
  plain: "bg-raised text-ink border border-line-strong hover:bg-hover",
  quiet: "text-muted hover:bg-hover hover:text-ink",
  danger: "bg-danger-fill text-accent-ink hover:brightness-95",
};

interface ButtonProps extends ButtonHTMLAttributes<HTMLButtonElement> {
  look?: Look;
  isBusy?: boolean;
  children: ReactNode;
}

export function Button({
  look = "plain",
  isBusy = false,
  className = "",
  children,
  disabled,
  type = "button",
  ...rest
}: ButtonProps) {
  return (
    <button
      type={type}
      aria-busy={isBusy || undefined}
      disabled={disabled === true || isBusy}
      className={`relative inline-flex min-h-9 items-center justify-center gap-1.5 rounded-lg px-3 text-sm font-medium whitespace-nowrap transition-colors disabled:opacity-55 max-md:min-h-11 ${LOOKS[look]} ${className}`}
      {...rest}
    >
      <span className={`inline-flex items-center gap-1.5 ${isBusy ? "invisible" : ""}`}>
        {children}
      </span>
      {isBusy && (
        <span className="absolute inset-0 grid place-items-center">
          <Spinner />
        </span>
      )}
    </button>
  );
}

interface IconButtonProps extends ButtonHTMLAttributes<HTMLButtonElement> {
  /** What it does: read aloud, and shown on hover. */
  label: string;
  children: ReactNode;
}

/** 44 px to hit on a phone, 36 px with a mouse. */
export function IconButton({
  label,
  className = "",
  children,
  type = "button",
  ...rest
}: IconButtonProps) {
  return (
    <button
      type={type}
      aria-label={label}
      title={label}
      className={`inline-grid size-11 shrink-0 place-items-center rounded-lg text-muted transition-colors hover:bg-hover hover:text-ink disabled:opacity-50 md:size-9 ${className}`}
      {...rest}
    >
      {children}
    </button>
  );
}
