/** A page beside the inbox: a title, a way back on phones, one column, and what leads through its parts. */

import type { ReactNode } from "react";
import { IconButton } from "./button";
import { BackIcon } from "./icons";

export function Page({
  title,
  onBack,
  nav,
  children,
}: {
  title: string;
  onBack: () => void;
  /** Beside the column where there is room, above it where there is not. */
  nav?: ReactNode;
  children: ReactNode;
}) {
  return (
    <main className="min-w-0 flex-1 overflow-y-auto bg-surface md:border-l md:border-line">
      <div
        className={`mx-auto flex flex-col gap-6 px-4 pt-3 pb-[calc(3rem+env(safe-area-inset-bottom))] md:px-8 md:pt-8 ${nav === undefined ? "max-w-3xl" : "max-w-5xl"}`}
      >
        <header className="flex items-center gap-1">
          <IconButton label="Back to the inbox" className="-ml-2 md:hidden" onClick={onBack}>
            <BackIcon />
          </IconButton>
          <h1 className="text-xl font-semibold tracking-tight">{title}</h1>
        </header>
        {nav === undefined ? (
          children
        ) : (
          <div className="flex flex-col gap-6 lg:flex-row lg:gap-10">
            {nav}
            <div className="flex min-w-0 flex-1 flex-col gap-8">{children}</div>
          </div>
        )}
      </div>
    </main>
  );
}

export function Section({
  title,
  hint,
  action,
  children,
}: {
  title: string;
  hint?: string;
  action?: ReactNode;
  children: ReactNode;
}) {
  return (
    <section className="flex flex-col gap-3">
      <div className="flex flex-wrap items-center justify-between gap-3">
        <div className="min-w-0">
          <h2 className="text-base font-semibold">{title}</h2>
          {hint !== undefined && <p className="text-sm text-muted">{hint}</p>}
        </div>
        {action}
      </div>
      {children}
    </section>
  );
}

export function Rows({ children }: { children: ReactNode }) {
  return <ul className="divide-y divide-line rounded-xl border border-line">{children}</ul>;
}
