/** The quiet page that sign-in and invitation share. */

import type { ReactNode } from "react";

export function Card({ title, children }: { title: string; children: ReactNode }) {
  return (
    <main className="grid h-full overflow-y-auto bg-canvas p-4">
      <div className="m-auto flex w-full max-w-96 flex-col gap-6 py-8">
        <div className="flex items-center justify-center gap-2.5">
          <Mark />
          <span className="text-lg font-semibold tracking-tight">Inbox</span>
        </div>
        <div className="flex flex-col gap-5 rounded-2xl border border-line bg-surface p-6 shadow-[0_1px_2px_var(--shadow)] sm:p-8">
          <h1 className="text-xl font-semibold tracking-tight">{title}</h1>
          {children}
        </div>
      </div>
    </main>
  );
}

export function Mark({ className = "size-8" }: { className?: string }) {
  return (
    <svg aria-hidden="true" viewBox="0 0 32 32" className={className}>
      <rect width="32" height="32" rx="8" fill="var(--accent)" />
      <g fill="none" stroke="#fff" strokeWidth="2.2" strokeLinecap="round" strokeLinejoin="round">
        <path d="M7 17.5l3.4-8.9a1.6 1.6 0 0 1 1.5-1.1h8.2a1.6 1.6 0 0 1 1.5 1.1L25 17.5v5a2 2 0 0 1-2 2H9a2 2 0 0 1-2-2z" />
        <path d="M7.4 17.5h4.4a4.2 4.2 0 0 0 8.4 0h4.4" />
      </g>
    </svg>
  );
}
