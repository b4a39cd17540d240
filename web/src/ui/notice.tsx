/** Empty places, errors and banners: say what is, and the way out. */

import type { ReactNode } from "react";

export function EmptyState({
  icon,
  title,
  children,
  action,
}: {
  icon: ReactNode;
  title: string;
  children?: ReactNode;
  action?: ReactNode;
}) {
  return (
    <div className="flex h-full flex-col items-center justify-center gap-3 px-8 py-12 text-center">
      <span className="grid size-14 place-items-center rounded-2xl bg-accent-soft text-accent-text">
        {icon}
      </span>
      <div className="flex max-w-72 flex-col gap-1">
        <p className="text-base font-semibold text-ink">{title}</p>
        {children !== undefined && <p className="text-sm text-balance text-muted">{children}</p>}
      </div>
      {action}
    </div>
  );
}

const TONES = {
  danger: "bg-danger-soft text-danger",
  warn: "bg-warn-soft text-warn",
  info: "bg-accent-soft text-accent-text",
  good: "bg-good-soft text-good",
};

export function Banner({
  tone,
  icon,
  children,
  action,
  isLive = false,
}: {
  tone: keyof typeof TONES;
  icon?: ReactNode;
  children: ReactNode;
  action?: ReactNode;
  /** Read aloud when it appears. */
  isLive?: boolean;
}) {
  return (
    <div
      role={isLive ? "status" : undefined}
      className={`flex min-h-10 items-center gap-2.5 px-4 py-2 text-sm font-medium ${TONES[tone]}`}
    >
      {icon}
      <div className="flex min-w-0 flex-1 flex-wrap items-center gap-x-3">
        <p className="min-w-48 flex-1">{children}</p>
        {action}
      </div>
    </div>
  );
}

/** The error below a form or beside what failed. */
export function ErrorText({ children }: { children: ReactNode }) {
  return (
    <p role="alert" className="rounded-lg bg-danger-soft px-3 py-2 text-sm text-danger">
      {children}
    </p>
  );
}
