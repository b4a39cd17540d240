/** What an article has: a title, a text with its preview, and a language. */

import { useState } from "react";
import { Choice, Field, TextArea } from "../../ui/field";
import { counted } from "../../ui/length";
import { Segments } from "../../ui/segments";
import { MAX_BODY_CHARACTERS, MAX_TITLE_CHARACTERS, type Words } from "./article-draft";
import { LANGUAGE_CHOICES } from "./language-names";
import { MarkdownView } from "./markdown-view";

const VIEWS = [
  { value: "write", text: "Write" },
  { value: "preview", text: "Preview" },
] as const;

export function ArticleFields({
  words,
  onWrite,
  titleError,
  bodyError,
}: {
  words: Words;
  onWrite: (words: Partial<Words>) => void;
  titleError: string | null | undefined;
  bodyError: string | null | undefined;
}) {
  const [view, setView] = useState<"write" | "preview">("write");
  return (
    <>
      <Field
        label="Title"
        required
        value={words.title}
        onChange={(event) => onWrite({ title: event.target.value })}
        hint={`Answers name it as their source. ${counted(words.title, MAX_TITLE_CHARACTERS)}`}
        error={titleError}
      />
      <div className="flex flex-col gap-3">
        <Segments label="View" className="w-52" value={view} onChange={setView} options={VIEWS} />
        {view === "write" ? (
          <TextArea
            label="Text"
            rows={14}
            className="min-h-64 resize-y font-mono text-sm"
            value={words.body}
            onChange={(event) => onWrite({ body: event.target.value })}
            placeholder={"## Opening hours\n\nMonday to Friday, 9 to 18.\n\n- Closed on holidays"}
            hint={`Markdown: # heading, - list, **bold**, [link](https://…). ${counted(words.body, MAX_BODY_CHARACTERS)}`}
            error={bodyError}
          />
        ) : (
          <section aria-label="Preview" className="min-h-64 rounded-xl border border-line p-4">
            {words.body.trim() === "" ? (
              <p className="text-sm text-muted">Nothing written yet.</p>
            ) : (
              <MarkdownView source={words.body} />
            )}
          </section>
        )}
      </div>
      <div className="max-w-72">
        <Choice
          label="Language"
          value={String(words.language)}
          onChange={(event) => onWrite({ language: Number(event.target.value) })}
          options={LANGUAGE_CHOICES}
          hint="Word forms are searched in this language."
        />
      </div>
    </>
  );
}
