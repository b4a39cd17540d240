/** Deletes an article, with a way back: the same words as a new article. */

import type { Article } from "../../gen/inbox/assistant/v1/article_pb";
import { useToast } from "../../ui/toast";
import { sayError } from "../say-error";
import type { Articles } from "./articles";
import { useKnowledge } from "./use-articles";

export function useDeletion(articles: Articles): (article: Article) => Promise<boolean> {
  const knowledge = useKnowledge();
  const toast = useToast();

  function refused(error: unknown) {
    toast({ text: sayError(error), tone: "danger" });
  }

  async function writeAgain({ title, body, language }: Article) {
    const requestId = crypto.randomUUID();
    const { article } = await knowledge.createArticle({ requestId, title, body, language });
    if (article) articles.accept(article);
  }

  return async (article) => {
    try {
      const { article: rest } = await knowledge.deleteArticle({
        articleId: article.id,
        requestId: crypto.randomUUID(),
        expectedVersion: article.version,
      });
      if (rest) articles.accept(rest);
    } catch (error) {
      refused(error);
      return false;
    }
    const undo = () => void writeAgain(article).catch(refused);
    toast({ text: "Article deleted", action: { label: "Undo", act: undo } });
    return true;
  };
}
