/** One turn: what was asked and answered, where the answer came from, and what it took. */

import { type ReactNode, useCallback } from "react";
import type { Turn } from "../../gen/inbox/assistant/v1/assistant_pb";
import { Skeleton } from "../../ui/skeleton";
import { fullDate, preciseTime, toDate } from "../../ui/time";
import { LoadFailure } from "../load-failure";
import { useSession, useTimeZone } from "../session";
import { useLoaded } from "../use-loaded";
import { readExchange } from "./exchange";
import { durationWords, providerWords, tokenWords, toolWords } from "./turn-words";

/** Where the things that a turn names are to be found. */
export interface TurnLinks {
  hrefOfMessage(conversationId: string, seq: bigint): string;
  openMessage(conversationId: string, seq: bigint): void;
  hrefOfArticle(articleId: string): string;
  openArticle(articleId: string): void;
}

export function TurnDetails({ turn, links }: { turn: Turn; links: TurnLinks }) {
  const timeZone = useTimeZone();
  const at = turn.endTime ? toDate(turn.endTime) : null;
  const tokens = tokenWords(turn);
  const took = durationWords(turn.providerDuration);
  return (
    <div className="flex flex-col gap-3">
      <Exchanged turn={turn} links={links} />
      <dl className="flex flex-col gap-2 text-sm">
        <Line name="Provider">
          {providerWords(turn)}
          {turn.model !== "" && ` · ${turn.model}`}
        </Line>
        {turn.promptVersion !== "" && <Line name="Prompt version">{turn.promptVersion}</Line>}
        <Line name="Tools">
          {turn.toolCalls.length === 0 ? "None" : turn.toolCalls.map(toolWords).join(", ")}
        </Line>
        {turn.articleIds.length > 0 && (
          <Line name="Articles found">
            <span className="flex flex-wrap gap-x-3">
              {turn.articleIds.map((id, index) => (
                <Link
                  key={id}
                  href={links.hrefOfArticle(id)}
                  onOpen={() => links.openArticle(id)}
                >{`Article ${index + 1}`}</Link>
              ))}
            </span>
          </Line>
        )}
        {tokens !== "" && <Line name="Tokens">{tokens}</Line>}
        {took !== "" && <Line name="Provider took">{took}</Line>}
        {at && (
          <Line name="Ended">
            {fullDate(at, timeZone)}, {preciseTime(at, timeZone)}
          </Line>
        )}
      </dl>
    </div>
  );
}

function Exchanged({ turn, links }: { turn: Turn; links: TurnLinks }) {
  const { services } = useSession();
  const load = useCallback(
    () =>
      readExchange(
        {
          getMessage: async (messageId) =>
            (await services.messaging.getMessage({ messageId })).message ?? null,
          listMessages: (conversationId, beforeSeq, pageSize) =>
            services.messaging.listMessages({ conversationId, beforeSeq, pageSize }),
        },
        turn,
      ),
    [services, turn],
  );
  const { value, error, again } = useLoaded(load);
  if (error !== null) return <LoadFailure text={error} onAgain={() => void again()} />;
  if (value === null) {
    return (
      <div role="status" aria-label="Loading what was said">
        <Skeleton className="h-12 rounded-lg!" />
      </div>
    );
  }
  const { questions, answer } = value;
  const place = answer ?? questions.at(-1);
  return (
    <dl className="flex flex-col gap-2 text-sm">
      <Line name="Question">
        {questions.length === 0 ? (
          <span className="text-muted">Not there any more, or too far up in the conversation.</span>
        ) : (
          questions.map(({ id, text }) => (
            <span key={id} className="block">
              {text || "A message without text"}
            </span>
          ))
        )}
      </Line>
      {answer !== null && <Line name="Answer">{answer.text}</Line>}
      {place !== undefined && (
        <Line name="">
          <Link
            href={links.hrefOfMessage(turn.conversationId, place.seq)}
            onOpen={() => links.openMessage(turn.conversationId, place.seq)}
          >
            Show in the conversation
          </Link>
        </Line>
      )}
    </dl>
  );
}

function Line({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div className="grid gap-x-3 sm:grid-cols-[8.5rem_1fr]">
      <dt className="text-muted">{name}</dt>
      <dd className="min-w-0 whitespace-pre-wrap [overflow-wrap:anywhere]">{children}</dd>
    </div>
  );
}

function Link({
  href,
  onOpen,
  children,
}: {
  href: string;
  onOpen: () => void;
  children: ReactNode;
}) {
  return (
    <a
      href={href}
      onClick={(event) => {
        if (event.metaKey || event.ctrlKey || event.shiftKey) return;
        event.preventDefault();
        onOpen();
      }}
      className="inline-flex items-center font-medium text-accent-text underline-offset-2 hover:underline max-md:min-h-11"
    >
      {children}
    </a>
  );
}
