/** A question that has to be answered before going on. Focus stays inside, Esc closes, focus returns. */

import { Dialog as BaseDialog } from "@base-ui/react/dialog";
import type { ReactNode } from "react";
import { IconButton } from "./button";
import { CloseIcon } from "./icons";

export function Dialog({
  title,
  isOpen,
  onClose,
  children,
}: {
  title: string;
  isOpen: boolean;
  onClose: () => void;
  children: ReactNode;
}) {
  return (
    <BaseDialog.Root open={isOpen} onOpenChange={(open) => !open && onClose()}>
      <BaseDialog.Portal>
        <BaseDialog.Backdrop className="fixed inset-0 z-40 bg-[rgb(10_12_16/0.5)]" />
        <BaseDialog.Popup className="fixed inset-x-0 bottom-0 z-50 max-h-[92dvh] animate-rise overflow-y-auto rounded-t-2xl border border-line bg-raised p-5 pb-[calc(1.25rem+env(safe-area-inset-bottom))] shadow-[0_16px_48px_var(--shadow)] outline-none sm:inset-auto sm:top-1/2 sm:left-1/2 sm:w-[26rem] sm:-translate-x-1/2 sm:-translate-y-1/2 sm:rounded-2xl sm:p-6">
          <div className="mb-4 flex items-center justify-between gap-3">
            <BaseDialog.Title className="text-lg font-semibold">{title}</BaseDialog.Title>
            <IconButton label="Close" className="-mr-2" onClick={onClose}>
              <CloseIcon className="size-4.5" />
            </IconButton>
          </div>
          {children}
        </BaseDialog.Popup>
      </BaseDialog.Portal>
    </BaseDialog.Root>
  );
}
