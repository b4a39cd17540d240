/** The next page of history at either end of what is loaded: by itself on scrolling, or by a button. */

import { useState } from "react";
import { Button } from "../../ui/button";
import { Spinner } from "../../ui/spinner";

export interface More {
  readonly state: "idle" | "loading" | "failed";
  load(): void;
}

export function useMore(page: () => Promise<number>, onLoaded: (count: number) => void): More {
  const [state, setState] = useState<More["state"]>("idle");
  return {
    state,
    load() {
      setState("loading");
      page().then(
        (count) => {
          setState("idle");
          if (count > 0) onLoaded(count);
        },
        () => setState("failed"),
      );
    },
  };
}

export function LoadMore({ more, children }: { more: More; children: string }) {
  return (
    <div className="grid place-items-center py-4">
      <Button onClick={more.load} disabled={more.state === "loading"}>
        {more.state === "loading" && <Spinner />}
        {more.state === "failed" ? "Could not load. Try again" : children}
      </Button>
    </div>
  );
}
