/** What belongs to what is on screen: beside it where there is room, else over it from the right. Loaded when it is opened. */

import { Dialog as BaseDialog } from "@base-ui/react/dialog";
import type { ReactNode } from "react";
import { IconButton } from "./button";
import { CloseIcon } from "./icons";
import { useHasRoomBeside } from "./use-has-room-beside";

export function SidePanel({
  title,
  onClose,
  children,
}: {
  title: string;
  onClose: () => void;
  children: ReactNode;
}) {
  const isBeside = useHasRoomBeside();
  if (isBeside) {
    return (
      <aside
        aria-label={title}
        className="flex w-84 shrink-0 flex-col border-l border-line bg-surface"
      >
        <div className="flex min-h-16 items-center justify-between gap-3 border-b border-line pr-3 pl-5">
          <h2 className="text-base font-semibold">{title}</h2>
          <CloseButton title={title} onClose={onClose} />
        </div>
        {children}
      </aside>
    );
  }
  return (
    <BaseDialog.Root open onOpenChange={(isOpen) => !isOpen && onClose()}>
      <BaseDialog.Portal>
        <BaseDialog.Backdrop className="fixed inset-0 z-30 bg-[rgb(10_12_16/0.5)]" />
        <BaseDialog.Popup className="fixed inset-y-0 right-0 z-30 flex w-full max-w-104 flex-col bg-surface pb-[env(safe-area-inset-bottom)] shadow-[0_16px_48px_var(--shadow)] outline-none">
          <div className="flex min-h-16 items-center justify-between gap-3 border-b border-line pr-2 pl-5">
            <BaseDialog.Title className="text-base font-semibold">{title}</BaseDialog.Title>
            <CloseButton title={title} onClose={onClose} />
          </div>
          {children}
        </BaseDialog.Popup>
      </BaseDialog.Portal>
    </BaseDialog.Root>
  );
}

function CloseButton({ title, onClose }: { title: string; onClose: () => void }) {
  return (
    <IconButton label={`Close ${title.toLowerCase()}`} onClick={onClose}>
      <CloseIcon className="size-4.5" />
    </IconButton>
  );
}
