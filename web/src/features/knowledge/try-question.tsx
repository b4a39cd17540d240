/** Asks the articles a question as a customer would, and says what the AI would do with what it finds. */

import { type FormEvent, useState } from "react";
import type { Passage } from "../../gen/inbox/assistant/v1/article_pb";
import { ProviderKind } from "../../gen/inbox/assistant/v1/assistant_pb";
import { AssistantService } from "../../gen/inbox/assistant/v1/assistant_service_pb";
import { Button } from "../../ui/button";
import { Field } from "../../ui/field";
import { ErrorText } from "../../ui/notice";
import { Section } from "../../ui/page";
import { useSession } from "../session";
import { useAction } from "../use-action";
import { useKnowledge } from "./use-articles";
import { type Verdict, verdictOf } from "./verdict";

const MAX_QUESTION_CHARACTERS = 500;

interface Found {
  readonly verdict: Verdict;
  readonly passages: readonly Passage[];
  readonly minCoveragePercent: number;
}

export default function TryQuestion({
  hrefOf,
  onOpen,
}: {
  hrefOf: (entry: string) => string;
  onOpen: (entry: string) => void;
}) {
  const { services } = useSession();
  const knowledge = useKnowledge();
  const asking = useAction();
  const [found, setFound] = useState<Found | null>(null);

  async function ask(query: string) {
    const [{ passages }, { settings }] = await Promise.all([
      knowledge.searchArticles({ query }),
      services.of(AssistantService).getAssistantSettings({}),
    ]);
    const minCoveragePercent = settings?.minCoveragePercent ?? 0;
    const provider = settings?.provider ?? ProviderKind.UNSPECIFIED;
    const verdict = verdictOf(provider, passages, minCoveragePercent);
    setFound({ verdict, passages, minCoveragePercent });
  }
  function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const query = String(new FormData(event.currentTarget).get("question") ?? "").trim();
    setFound(null);
    if (query !== "") void asking.run(() => ask(query));
  }

  return (
    <Section
      title="Try a question"
      hint="See what the AI finds in the articles. Nothing is sent to anybody."
    >
      <form className="flex items-end gap-2" onSubmit={submit}>
        <div className="min-w-0 flex-1">
          <Field
            label="Question"
            name="question"
            required
            maxLength={MAX_QUESTION_CHARACTERS}
            placeholder="When will my parcel arrive?"
          />
        </div>
        <Button type="submit" className="min-h-10" isBusy={asking.isBusy}>
          Ask
        </Button>
      </form>
      {asking.error !== null && <ErrorText>{asking.error}</ErrorText>}
      <div role="status" className="flex flex-col gap-3">
        {found !== null && <p className="text-sm font-medium">{saidBy(found)}</p>}
        {found !== null && found.passages.length > 0 && (
          <ol aria-label="Passages found" className="flex flex-col gap-2">
            {found.passages.map((passage) => (
              <li
                key={`${passage.articleId} ${passage.text}`}
                className="rounded-xl border border-line p-3"
              >
                <p className="flex flex-wrap items-baseline justify-between gap-x-3">
                  <a
                    href={hrefOf(passage.articleId)}
                    onClick={(event) => {
                      if (event.metaKey || event.ctrlKey || event.shiftKey) return;
                      event.preventDefault();
                      onOpen(passage.articleId);
                    }}
                    className="min-w-0 truncate text-sm font-semibold text-accent-text hover:underline"
                  >
                    {passage.title}
                  </a>
                  <span className="text-xs text-muted">
                    {passage.coveragePercent} % of the question's words
                  </span>
                </p>
                <p className="mt-1 line-clamp-4 text-sm whitespace-pre-line">{passage.text}</p>
              </li>
            ))}
          </ol>
        )}
      </div>
    </Section>
  );
}

function saidBy({ verdict, minCoveragePercent }: Found): string {
  switch (verdict) {
    case "answers":
      return "The AI would answer with the first passage.";
    case "unsure":
      return `The AI would call a person: no passage has ${minCoveragePercent} % of the question's words.`;
    case "nothing":
      return "The articles have nothing about this.";
    case "reads":
      return "The provider would be given these passages, and decide.";
    case "elsewhere":
      return "A program of yours answers by itself; these passages are what a search gives it.";
    default:
      return verdict satisfies never;
  }
}
