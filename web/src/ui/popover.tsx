/** Something small that opens beside its button. Loaded when the first one is opened. */

import { Popover as BasePopover } from "@base-ui/react/popover";
import type { ReactNode, RefObject } from "react";

export default function Popover({
  anchor,
  title,
  onClose,
  children,
}: {
  anchor: RefObject<HTMLElement | null>;
  title: string;
  onClose: () => void;
  children: ReactNode;
}) {
  return (
    <BasePopover.Root defaultOpen onOpenChange={(open) => !open && onClose()}>
      <BasePopover.Portal>
        <BasePopover.Positioner
          anchor={anchor}
          className="z-40"
          side="top"
          align="end"
          sideOffset={8}
          collisionPadding={12}
        >
          <BasePopover.Popup
            finalFocus={anchor}
            className="w-80 max-w-[calc(100vw-24px)] animate-rise rounded-xl border border-line bg-raised p-4 text-sm shadow-[0_10px_32px_var(--shadow)] outline-none"
          >
            <BasePopover.Title className="mb-3 font-semibold">{title}</BasePopover.Title>
            {children}
          </BasePopover.Popup>
        </BasePopover.Positioner>
      </BasePopover.Portal>
    </BasePopover.Root>
  );
}
