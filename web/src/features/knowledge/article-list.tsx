/** Every article, newest first: what it is about, and the way to it. */

import type { MouseEvent } from "react";
import type { Article } from "../../gen/inbox/assistant/v1/article_pb";
import { Button, IconButton } from "../../ui/button";
import { BookIcon, PlusIcon, TrashIcon } from "../../ui/icons";
import { EmptyState, ErrorText } from "../../ui/notice";
import { Rows, Section } from "../../ui/page";
import { Skeleton } from "../../ui/skeleton";
import { fullDate, toDate } from "../../ui/time";
import { LoadFailure } from "../load-failure";
import { useSession, useTimeZone } from "../session";
import { useAction } from "../use-action";
import { MAX_ARTICLES, MAX_BODY_CHARACTERS } from "./article-draft";
import type { Articles } from "./articles";
import { LANGUAGE_NAMES } from "./language-names";
import { plainStart } from "./plain-start";
import { type Loading, useArticlesSnapshot } from "./use-articles";
import { useDeletion } from "./use-deletion";

const LIMITS = `Up to ${MAX_ARTICLES} articles of ${MAX_BODY_CHARACTERS.toLocaleString("en-US")} characters.`;

export function ArticleList({
  articles,
  loading,
  hrefOf,
  onOpen,
}: {
  articles: Articles;
  loading: Loading;
  hrefOf: (entry: string) => string;
  onOpen: (entry: string) => void;
}) {
  const { canWrite } = useSession();
  const { articles: shown, isLoaded, hasMore } = useArticlesSnapshot(articles);
  const growing = useAction();
  const remove = useDeletion(articles);
  const create = canWrite && (
    <Button look="primary" onClick={() => onOpen("new")}>
      <PlusIcon className="size-4" /> New article
    </Button>
  );
  const isEmpty = isLoaded && shown.length === 0;
  return (
    <Section
      title="Knowledge"
      hint={`What the AI answers from, and quotes. ${LIMITS}`}
      action={!isEmpty && create}
    >
      {loading.error !== null && <LoadFailure text={loading.error} onAgain={loading.again} />}
      {!isLoaded && loading.error === null && <Skeleton className="h-40 rounded-xl!" />}
      {isEmpty && (
        <EmptyState
          icon={<BookIcon className="size-7" />}
          title="No article yet"
          action={create || undefined}
        >
          Write what customers ask about: delivery, returns, opening hours. The AI answers from
          articles, and calls a person for everything else.
        </EmptyState>
      )}
      {shown.length > 0 && (
        <Rows>
          {shown.map((article) => (
            <ArticleRow
              key={article.id}
              article={article}
              href={hrefOf(article.id)}
              onOpen={() => onOpen(article.id)}
              onDelete={canWrite ? () => void remove(article) : null}
            />
          ))}
        </Rows>
      )}
      {growing.error !== null && <ErrorText>{growing.error}</ErrorText>}
      {hasMore && (
        <Button
          className="self-center"
          isBusy={growing.isBusy}
          onClick={() => void growing.run(() => articles.loadMore())}
        >
          Show more articles
        </Button>
      )}
    </Section>
  );
}

function ArticleRow({
  article,
  href,
  onOpen,
  onDelete,
}: {
  article: Article;
  href: string;
  onOpen: () => void;
  onDelete: (() => void) | null;
}) {
  const timeZone = useTimeZone();
  function follow(event: MouseEvent) {
    if (event.metaKey || event.ctrlKey || event.shiftKey) return;
    event.preventDefault();
    onOpen();
  }
  const start = plainStart(article.body);
  return (
    <li className="relative flex items-center gap-3 p-3 pl-4 hover:bg-hover">
      <div className="min-w-0 flex-1">
        <p className="truncate font-medium">
          {/* The whole row is to hit; the button beside it stays above. */}
          <a href={href} onClick={follow} className="after:absolute after:inset-0">
            {article.title}
          </a>
        </p>
        {start !== "" && <p className="truncate text-sm text-muted">{start}</p>}
        <p className="text-xs text-muted">
          {LANGUAGE_NAMES[article.language]}
          {article.updateTime && ` · changed ${fullDate(toDate(article.updateTime), timeZone)}`}
        </p>
      </div>
      {onDelete !== null && (
        <IconButton label={`Delete ${article.title}`} className="relative z-1" onClick={onDelete}>
          <TrashIcon className="size-4.5" />
        </IconButton>
      )}
    </li>
  );
}
