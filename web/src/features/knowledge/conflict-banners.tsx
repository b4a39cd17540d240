/** Somebody else was faster: what they did, and the ways out. */

import type { Article } from "../../gen/inbox/assistant/v1/article_pb";
import { Button } from "../../ui/button";
import { AlertIcon } from "../../ui/icons";
import { MarkdownView } from "./markdown-view";

export function ConflictBanner({
  theirs,
  onKeepMine,
  onTakeTheirs,
}: {
  theirs: Article;
  onKeepMine: () => void;
  onTakeTheirs: () => void;
}) {
  return (
    <div role="alert" className="flex flex-col gap-3 rounded-xl bg-warn-soft p-4 text-sm text-warn">
      <p className="flex gap-2.5 font-medium">
        <AlertIcon className="size-4.5" />
        Somebody else saved this article while you were writing. Nothing of either is lost yet.
      </p>
      <details className="rounded-lg bg-surface p-3 text-ink">
        <summary className="cursor-pointer font-medium">Their version: {theirs.title}</summary>
        <div className="pt-3">
          <MarkdownView source={theirs.body} />
        </div>
      </details>
      <div className="flex flex-wrap gap-2">
        <Button onClick={onKeepMine}>Go on with mine</Button>
        <Button onClick={onTakeTheirs}>Take theirs</Button>
      </div>
    </div>
  );
}

export function GoneBanner() {
  return (
    <p
      role="alert"
      className="flex gap-2.5 rounded-xl bg-warn-soft p-4 text-sm font-medium text-warn"
    >
      <AlertIcon className="size-4.5" />
      Somebody else deleted this article. Your words are still here: save them as a new one, or go
      back.
    </p>
  );
}
