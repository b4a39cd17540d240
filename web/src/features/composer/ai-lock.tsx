/** Stands where the text field would be while the AI answers. */

import { Button } from "../../ui/button";
import { SparkIcon } from "../../ui/icons";

export function AiLock({ onTakeOver }: { onTakeOver: (() => void) | null }) {
  return (
    <div className="flex flex-col items-center gap-3 px-4 py-4">
      <p className="flex items-center gap-2.5 text-sm font-medium text-accent-text">
        <SparkIcon className="size-5 animate-pulse-dot" />
        AI is managing this conversation
        <span aria-hidden="true" className="flex items-end gap-1">
          {[0, 1, 2].map((dot) => (
            <span
              key={dot}
              className="size-1.5 animate-wave rounded-full bg-current"
              style={{ animationDelay: `${dot * 0.18}s` }}
            />
          ))}
        </span>
      </p>
      {onTakeOver !== null && <Button onClick={onTakeOver}>Take manual control</Button>}
    </div>
  );
}
