/** A page beside the inbox: a title, a way back on phones, and one column. */

import type { ReactNode } from "react";
import { IconButton } from "./button";
import { BackIcon } from "./icons";

export function Page({
  title,
  onBack,
  children,
}: {
  title: string;
  onBack: () => void;
  children: ReactNode;
}) {
  return (
    <main className="min-w-0 flex-1 overflow-y-auto bg-surface md:border-l md:border-line">
      <div className="mx-auto flex max-w-3xl flex-col gap-6 px-4 pt-3 pb-[calc(3rem+env(safe-area-inset-bottom))] md:px-8 md:pt-8">
        <header className="flex items-center gap-1">
          <IconButton label="Back to the inbox" className="-ml-2 md:hidden" onClick={onBack}>
            <BackIcon />
          </IconButton>
          <h1 className="text-xl font-semibold tracking-tight">{title}</h1>
        </header>
        {children}
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
