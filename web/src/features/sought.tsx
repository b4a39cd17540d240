/** A text in which what was looked for stands out. */

import type { Highlight } from "../gen/inbox/messaging/v1/search_pb";
import { partsOf } from "../inbox/search";

export function Sought({ text, highlights }: { text: string; highlights: readonly Highlight[] }) {
  return partsOf(text, highlights).map((part) =>
    part.isSought ? (
      <mark key={part.start} className="rounded-sm bg-marked font-semibold text-ink">
        {part.text}
      </mark>
    ) : (
      part.text
    ),
  );
}
