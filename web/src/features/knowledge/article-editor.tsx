/** One article: written, looked at, saved. What is not saved stays on this machine. */

import { type FormEvent, type KeyboardEvent, useEffect, useState } from "react";
import { refusalOf } from "../../connection/refusal";
import type { Article } from "../../gen/inbox/assistant/v1/article_pb";
import { Reason } from "../../gen/inbox/error/v1/reason_pb";
import { Button } from "../../ui/button";
import { TrashIcon } from "../../ui/icons";
import { ErrorText } from "../../ui/notice";
import { useToast } from "../../ui/toast";
import { useSession } from "../session";
import { useAction } from "../use-action";
import { useRequestId } from "../use-request-id";
import {
  type Draft,
  draftOf,
  kept,
  NOTHING_YET,
  problemsOf,
  standingOf,
  type Words,
} from "./article-draft";
import { ArticleFields } from "./article-fields";
import { ArticleFrame } from "./article-frame";
import type { Articles } from "./articles";
import { ConflictBanner, GoneBanner } from "./conflict-banners";
import { forget, keep, readKept } from "./kept-drafts";
import { useKnowledge } from "./use-articles";
import { useDeletion } from "./use-deletion";

export function ArticleEditor({
  articles,
  entry,
  article,
  isGone,
  onClose,
}: {
  articles: Articles;
  /** The article's id, or "new". */
  entry: string;
  article: Article | null;
  isGone: boolean;
  onClose: () => void;
}) {
  const { member } = useSession();
  const knowledge = useKnowledge();
  const toast = useToast();
  const remove = useDeletion(articles);
  const saving = useAction();
  const requestIdOf = useRequestId();
  const [written, setWritten] = useState<Draft | null>(() => readKept(member.id, entry));
  const [isTried, setIsTried] = useState(false);

  const standing = standingOf(written, article, isGone);
  const saved = article === null ? NOTHING_YET : draftOf(article);
  const draft = written === null || (standing === "same" && article !== null) ? saved : written;
  const problems = problemsOf(draft);
  const hasChanges = standing !== "same";
  const canSave = standing === "changed" || standing === "gone";
  useWarningBeforeLeaving(hasChanges);

  function write(words: Partial<Words>) {
    put({ ...draft, ...words });
    saving.clear();
  }
  function put(next: Draft) {
    setWritten(next);
    keep(member.id, entry, next);
  }
  function drop() {
    setWritten(null);
    setIsTried(false);
    saving.clear();
    forget(member.id, entry);
  }

  async function create({ title, body, language }: Words) {
    const words = { title, body, language };
    const requestId = requestIdOf(["create", words]);
    const { article: made } = await knowledge.createArticle({ requestId, ...words });
    if (made) articles.accept(made);
    toast({ text: "Article added. The AI knows it from now on." });
  }

  async function update({ title, body, language, baseVersion }: Draft) {
    const change = { articleId: entry, title, body, language, expectedVersion: baseVersion };
    const requestId = requestIdOf(["update", change]);
    try {
      const { article: changed } = await knowledge.updateArticle({ requestId, ...change });
      if (changed) articles.accept(changed);
    } catch (error) {
      const { reason } = refusalOf(error);
      const isOld = reason === Reason.VERSION_CONFLICT || reason === Reason.ARTICLE_NOT_FOUND;
      // The banner then says what happened, and offers the ways out.
      if (isOld) await articles.reopen();
      throw error;
    }
    toast({ text: "Article saved" });
  }

  async function save() {
    setIsTried(true);
    if (Object.keys(problems).length > 0) return;
    const isNew = entry === "new" || isGone;
    const isSaved = await saving.run(() => (isNew ? create(draft) : update(draft)));
    if (!isSaved) return;
    forget(member.id, entry);
    onClose();
  }
  async function removeNow() {
    if (article === null || !(await remove(article))) return;
    forget(member.id, entry);
    onClose();
  }
  function submit(event: FormEvent) {
    event.preventDefault();
    if (canSave) void save();
  }
  function hotkey(event: KeyboardEvent) {
    if (!(event.ctrlKey || event.metaKey) || event.key !== "s") return;
    event.preventDefault();
    if (canSave) void save();
  }

  const refusedAt = (field: string) =>
    saving.fieldError?.field === field ? saving.fieldError.text : null;
  return (
    <ArticleFrame
      title={entry === "new" ? "New article" : "Edit article"}
      onClose={onClose}
      action={
        article !== null && (
          <Button look="quiet" onClick={() => void removeNow()}>
            <TrashIcon className="size-4" /> Delete
          </Button>
        )
      }
    >
      {standing === "behind" && written !== null && article !== null && (
        <ConflictBanner
          theirs={article}
          onKeepMine={() => put(kept(written, article))}
          onTakeTheirs={drop}
        />
      )}
      {standing === "gone" && <GoneBanner />}
      <form className="flex flex-col gap-5" onSubmit={submit} onKeyDown={hotkey} noValidate>
        <ArticleFields
          words={draft}
          onWrite={write}
          titleError={refusedAt("title") ?? (isTried || draft.title ? problems.title : null)}
          bodyError={refusedAt("body") ?? problems.body}
        />
        {saving.error !== null && saving.fieldError === null && standing !== "behind" && (
          <ErrorText>{saving.error}</ErrorText>
        )}
        <div className="flex flex-wrap items-center gap-2">
          <Button look="primary" type="submit" isBusy={saving.isBusy} disabled={!canSave}>
            {standing === "gone" ? "Save as a new article" : "Save"}
          </Button>
          {hasChanges && (
            <Button look="quiet" onClick={drop}>
              Discard changes
            </Button>
          )}
          <p role="status" className="text-xs text-muted">
            {hasChanges && "Not saved yet; kept on this device."}
          </p>
        </div>
      </form>
    </ArticleFrame>
  );
}

/** Closing the tab is asked about by the browser itself. */
function useWarningBeforeLeaving(isNeeded: boolean) {
  useEffect(() => {
    if (!isNeeded) return;
    const warn = (event: BeforeUnloadEvent) => event.preventDefault();
    window.addEventListener("beforeunload", warn);
    return () => window.removeEventListener("beforeunload", warn);
  }, [isNeeded]);
}
