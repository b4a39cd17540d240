/** What becomes of passages that were found for a question. */

import type { Passage } from "../../gen/inbox/assistant/v1/article_pb";
import { ProviderKind } from "../../gen/inbox/assistant/v1/assistant_pb";

export type Verdict =
  /** The offline provider quotes the best one. */
  | "answers"
  /** It has too few of the question's words to be quoted. */
  | "unsure"
  | "nothing"
  /** A model reads them. */
  | "reads"
  /** Nobody here answers. */
  | "elsewhere";

/** `passages` the best first. */
export function verdictOf(
  provider: ProviderKind,
  passages: readonly Pick<Passage, "coveragePercent">[],
  minCoveragePercent: number,
): Verdict {
  const best = passages[0];
  if (best === undefined) return "nothing";
  switch (provider) {
    case ProviderKind.OPENAI:
    case ProviderKind.AGENT:
      return "reads";
    case ProviderKind.NONE:
      return "elsewhere";
    case ProviderKind.OFFLINE:
    case ProviderKind.UNSPECIFIED:
      return best.coveragePercent >= minCoveragePercent ? "answers" : "unsure";
    default:
      return provider satisfies never;
  }
}
