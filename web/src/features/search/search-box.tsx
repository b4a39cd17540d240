/** Where one types what to look for: "/" goes there, Esc leaves, the down arrow goes to what was found. */

import type { KeyboardEvent, RefObject } from "react";
import { IconButton } from "../../ui/button";
import { CloseIcon, SearchIcon } from "../../ui/icons";
import { useSearchKey } from "./use-search-key";

/** The service takes no more. */
const LONGEST_QUERY = 200;

export function SearchBox({
  text,
  box,
  onType,
  onDown,
}: {
  text: string;
  box: RefObject<HTMLInputElement | null>;
  onType: (text: string) => void;
  /** To what was found. */
  onDown: () => void;
}) {
  useSearchKey(box);

  function onKeyDown(event: KeyboardEvent<HTMLInputElement>) {
    // These keys choose words while an input method is open.
    if (event.nativeEvent.isComposing) return;
    if (event.key === "Escape") {
      onType("");
      box.current?.blur();
    } else if (event.key === "ArrowDown") {
      event.preventDefault();
      onDown();
    }
  }

  return (
    <search className="group relative flex min-w-0 flex-1 items-center">
      <SearchIcon className="pointer-events-none absolute left-2.5 size-4.5 text-faint" />
      <input
        ref={box}
        type="text"
        inputMode="search"
        enterKeyHint="search"
        autoComplete="off"
        spellCheck={false}
        aria-label="Search contacts and messages"
        aria-keyshortcuts="/"
        placeholder="Search"
        maxLength={LONGEST_QUERY}
        value={text}
        onChange={(event) => onType(event.target.value)}
        onKeyDown={onKeyDown}
        className="min-h-9 w-full min-w-0 rounded-[0.625rem] border border-transparent bg-canvas pr-10 pl-8.5 text-sm text-ink placeholder:text-muted focus:border-accent focus:bg-surface focus:outline-2 focus:-outline-offset-1 focus:outline-accent max-md:min-h-11 max-md:pr-11 max-md:text-[1rem]"
      />
      {text === "" ? (
        <span
          aria-hidden="true"
          className="pointer-events-none absolute right-2 grid size-5 place-items-center rounded-md border border-line-strong text-xs text-muted group-focus-within:hidden max-md:hidden"
        >
          /
        </span>
      ) : (
        <IconButton
          label="Clear the search"
          className="absolute right-0"
          onClick={() => {
            onType("");
            box.current?.focus();
          }}
        >
          <CloseIcon className="size-4" />
        </IconButton>
      )}
    </search>
  );
}
