/** What the AI knows: the list of articles, or one of them. */

import { useEffect } from "react";
import { Button } from "../../ui/button";
import { BookIcon } from "../../ui/icons";
import { EmptyState } from "../../ui/notice";
import { Skeleton } from "../../ui/skeleton";
import { LoadFailure } from "../load-failure";
import { useSession } from "../session";
import { useAction } from "../use-action";
import { ArticleEditor } from "./article-editor";
import { ArticleFrame } from "./article-frame";
import { ArticleList } from "./article-list";
import type { Articles } from "./articles";
import { hasKept } from "./kept-drafts";
import { MarkdownView } from "./markdown-view";
import TryQuestion from "./try-question";
import { useArticles, useArticlesSnapshot } from "./use-articles";

const NEW = "new";

export default function Knowledge({
  entry,
  hrefOf,
  onOpen,
  onClose,
}: {
  /** An article's id, "new", or null for the list. */
  entry: string | null;
  hrefOf: (entry: string) => string;
  onOpen: (entry: string) => void;
  onClose: () => void;
}) {
  const { articles, loading } = useArticles();
  if (entry !== null) {
    return <OneArticle key={entry} articles={articles} entry={entry} onClose={onClose} />;
  }
  return (
    <>
      <ArticleList articles={articles} loading={loading} hrefOf={hrefOf} onOpen={onOpen} />
      <TryQuestion hrefOf={hrefOf} onOpen={onOpen} />
    </>
  );
}

function OneArticle({
  articles,
  entry,
  onClose,
}: {
  articles: Articles;
  entry: string;
  onClose: () => void;
}) {
  const { canWrite, member } = useSession();
  const { run, error } = useAction();
  const { open } = useArticlesSnapshot(articles);
  useEffect(() => {
    void run(() => articles.open(entry === NEW ? null : entry));
    return () => void articles.open(null);
  }, [articles, entry, run]);

  const article = open?.article ?? null;
  const isGone = open?.isGone ?? false;
  if (isGone && !hasKept(member.id, entry)) {
    return (
      <EmptyState
        icon={<BookIcon className="size-7" />}
        title="This article is gone"
        action={<Button onClick={onClose}>All articles</Button>}
      >
        Somebody deleted it, or it was never there.
      </EmptyState>
    );
  }
  if (article === null && entry !== NEW && !isGone) {
    return (
      <ArticleFrame title="Article" onClose={onClose}>
        {error === null ? (
          <Skeleton className="h-64 rounded-xl!" />
        ) : (
          <LoadFailure text={error} onAgain={() => void run(() => articles.reopen())} />
        )}
      </ArticleFrame>
    );
  }
  if (!canWrite) {
    return (
      <ArticleFrame title={article?.title ?? "Article"} onClose={onClose}>
        {entry === NEW ? (
          <p className="text-sm text-muted">Your role reads articles; agents and owners write.</p>
        ) : (
          <MarkdownView source={article?.body ?? ""} />
        )}
      </ArticleFrame>
    );
  }
  return (
    <ArticleEditor
      articles={articles}
      entry={entry}
      article={article}
      isGone={isGone}
      onClose={onClose}
    />
  );
}
