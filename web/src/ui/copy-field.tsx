/** A text that is there to be copied. */

import { useEffect, useState } from "react";
import { Button } from "./button";
import { CheckIcon, CopyIcon } from "./icons";

export function CopyField({ label, text }: { label: string; text: string }) {
  const [outcome, setOutcome] = useState<"none" | "copied" | "failed">("none");
  useEffect(() => {
    if (outcome === "none") return;
    const timer = setTimeout(() => setOutcome("none"), 2_000);
    return () => clearTimeout(timer);
  }, [outcome]);
  return (
    <div className="flex flex-col gap-1.5">
      <span className="text-sm font-medium">{label}</span>
      <div className="flex items-start gap-2">
        <code className="min-w-0 flex-1 rounded-lg bg-canvas px-3 py-2 font-mono text-xs break-all select-all">
          {text}
        </code>
        <Button
          aria-label={`Copy: ${label}`}
          onClick={() =>
            navigator.clipboard.writeText(text).then(
              () => setOutcome("copied"),
              () => setOutcome("failed"),
            )
          }
        >
          {outcome === "copied" ? (
            <CheckIcon className="size-4" />
          ) : (
            <CopyIcon className="size-4" />
          )}
          <span className="max-sm:sr-only">{outcome === "copied" ? "Copied" : "Copy"}</span>
        </Button>
      </div>
      {outcome === "failed" && (
        <p role="status" className="text-xs text-danger">
          The browser did not allow it. Select the text and copy it.
        </p>
      )}
    </div>
  );
}
