/** The articles of this visit to the screen, loaded once and kept current by the live line. */

import { useCallback, useEffect, useMemo, useSyncExternalStore } from "react";
import { KnowledgeService } from "../../gen/inbox/assistant/v1/knowledge_service_pb";
import { useSession } from "../session";
import { type Action, useAction } from "../use-action";
import { Articles, type ArticlesSnapshot } from "./articles";

const PAGE_SIZE = 50;

export function useKnowledge() {
  const { services } = useSession();
  return useMemo(() => services.of(KnowledgeService), [services]);
}

export interface Loading extends Action {
  again(): void;
}

export function useArticles(): { articles: Articles; loading: Loading } {
  const { listen } = useListening();
  const knowledge = useKnowledge();
  const { run, ...action } = useAction();
  const articles = useMemo(
    () =>
      new Articles({
        list: (pageToken) => knowledge.listArticles({ pageToken, pageSize: PAGE_SIZE }),
        get: async (articleId) => {
          const { article } = await knowledge.getArticle({ articleId });
          if (article === undefined) throw new Error("the answer lacks the article");
          return article;
        },
      }),
    [knowledge],
  );
  const again = useCallback(() => void run(() => articles.load()), [run, articles]);
  useEffect(() => {
    // First the ear, then the question: nothing falls between them.
    const stop = listen({ frame: (frame) => articles.receive(frame), snapshotNeeded: again });
    again();
    return stop;
  }, [listen, articles, again]);
  return { articles, loading: { ...action, run, again } };
}

function useListening() {
  const session = useSession();
  return useMemo(() => ({ listen: session.listen.bind(session) }), [session]);
}

export function useArticlesSnapshot(articles: Articles): ArticlesSnapshot {
  return useSyncExternalStore(
    (listener) => articles.subscribe(listener),
    () => articles.snapshot,
  );
}
