/** A menu behind a button. */

import { Menu as BaseMenu } from "@base-ui/react/menu";
import type { ReactElement, ReactNode } from "react";
import { CheckIcon } from "./icons";

export function Menu({
  trigger,
  children,
  side = "bottom",
  align = "end",
  isOpenAtFirst = false,
}: {
  trigger: ReactElement;
  children: ReactNode;
  side?: "bottom" | "right" | "top";
  align?: "start" | "end";
  isOpenAtFirst?: boolean;
}) {
  return (
    <BaseMenu.Root defaultOpen={isOpenAtFirst}>
      <BaseMenu.Trigger render={trigger} />
      <BaseMenu.Portal>
        <BaseMenu.Positioner
          className="z-40"
          side={side}
          align={align}
          sideOffset={8}
          collisionPadding={8}
        >
          <BaseMenu.Popup className="max-h-(--available-height) max-w-80 min-w-56 overflow-y-auto animate-rise rounded-xl border border-line bg-raised p-1.5 text-sm shadow-[0_10px_32px_var(--shadow)] outline-none">
            {children}
          </BaseMenu.Popup>
        </BaseMenu.Positioner>
      </BaseMenu.Portal>
    </BaseMenu.Root>
  );
}

const ITEM =
  "flex min-h-9 w-full cursor-default items-center gap-2.5 rounded-lg px-2.5 text-ink outline-none select-none data-highlighted:bg-hover max-md:min-h-11";

export function MenuItem({
  icon,
  children,
  onSelect,
}: {
  icon: ReactNode;
  children: ReactNode;
  onSelect: () => void;
}) {
  return (
    <BaseMenu.Item className={ITEM} onClick={onSelect}>
      <span className="text-muted">{icon}</span>
      {children}
    </BaseMenu.Item>
  );
}

/** On or off; the menu stays open for the next one. */
export function MenuCheck({
  icon,
  children,
  isOn,
  onChange,
}: {
  icon: ReactNode;
  children: ReactNode;
  isOn: boolean;
  onChange: (isOn: boolean) => void;
}) {
  return (
    <BaseMenu.CheckboxItem
      checked={isOn}
      onCheckedChange={(next: boolean) => onChange(next)}
      closeOnClick={false}
      className={ITEM}
    >
      <span className="grid w-4.5 place-items-center text-muted">{icon}</span>
      <span className="min-w-0 flex-1 truncate">{children}</span>
      <BaseMenu.CheckboxItemIndicator className="text-accent-text">
        <CheckIcon className="size-4" />
      </BaseMenu.CheckboxItemIndicator>
    </BaseMenu.CheckboxItem>
  );
}

export function MenuChoice({
  value,
  onChange,
  options,
}: {
  value: string;
  onChange: (value: string) => void;
  options: readonly { value: string; text: string; icon: ReactNode }[];
}) {
  return (
    <BaseMenu.RadioGroup value={value} onValueChange={(next: string) => onChange(next)}>
      {options.map((option) => (
        <BaseMenu.RadioItem
          key={option.value}
          value={option.value}
          closeOnClick={false}
          className={ITEM}
        >
          <span className="text-muted">{option.icon}</span>
          <span className="flex-1">{option.text}</span>
          <BaseMenu.RadioItemIndicator className="size-2 rounded-full bg-accent" />
        </BaseMenu.RadioItem>
      ))}
    </BaseMenu.RadioGroup>
  );
}

export function MenuLine() {
  return <BaseMenu.Separator className="mx-2 my-1.5 h-px bg-line" />;
}
