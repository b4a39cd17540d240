/** The buttons of the header's menus; they stand there before the menus themselves are loaded. */

import type { ComponentProps } from "react";
import { IconButton } from "../../ui/button";
import { MoreIcon, PlusIcon } from "../../ui/icons";

export function MoreButton(rest: ComponentProps<"button">) {
  return (
    <IconButton {...rest} label="More actions">
      <MoreIcon />
    </IconButton>
  );
}

export function TagButton(rest: ComponentProps<"button">) {
  return (
    <button
      type="button"
      {...rest}
      className="relative inline-flex min-h-6 items-center gap-1 rounded-md px-1.5 text-xs font-medium text-muted transition-colors hover:bg-hover hover:text-ink max-md:after:absolute max-md:after:-inset-2.5"
    >
      <PlusIcon className="size-3.5" />
      Tag
    </button>
  );
}
