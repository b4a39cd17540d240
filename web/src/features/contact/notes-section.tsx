/** What members wrote about the contact, for the team alone. */

import { type FormEvent, useMemo, useState } from "react";
import type { ContactNote } from "../../gen/inbox/conversation/v1/contact_pb";
import { notesOf } from "../../inbox/contacts";
import { Button } from "../../ui/button";
import { TextArea } from "../../ui/field";
import { ErrorText } from "../../ui/notice";
import { useToday } from "../../ui/use-now";
import { sayError } from "../say-error";
import { useInbox, useObservable, useSession, useTimeZone } from "../session";
import { useAction } from "../use-action";
import { useRequestId } from "../use-request-id";
import { authorWords, timeWords } from "./author-words";
import { Nothing, Section, TextButton } from "./section";
import { useContact } from "./use-contact";

const LONGEST_NOTE = 5_000;

export function NotesSection() {
  const { canWrite } = useSession();
  const { contact } = useContact();
  const state = useInbox((snapshot) => snapshot.state);
  const notes = useMemo(() => notesOf(state, contact.id), [state, contact.id]);
  return (
    <Section title="Notes">
      {canWrite && <NewNote />}
      {notes.length === 0 ? (
        <Nothing>No notes yet. The customer never sees them.</Nothing>
      ) : (
        <ul aria-label="Notes" className="flex flex-col gap-2">
          {notes.map((note) => (
            <li key={note.id}>
              <Note note={note} canWrite={canWrite} />
            </li>
          ))}
        </ul>
      )}
    </Section>
  );
}

function NewNote() {
  const { file } = useContact();
  const saving = useAction();
  const requestIdFor = useRequestId();
  const [body, setBody] = useState("");

  async function submit(event: FormEvent) {
    event.preventDefault();
    const text = body.trim();
    if (text === "") return;
    if (await saving.run(() => file.writeNote(text, requestIdFor([text])))) setBody("");
  }

  return (
    <form className="flex flex-col gap-2" onSubmit={(event) => void submit(event)}>
      <TextArea
        label="New note"
        rows={2}
        maxLength={LONGEST_NOTE}
        value={body}
        placeholder="Only your team sees it"
        onChange={(event) => setBody(event.target.value)}
      />
      {saving.error !== null && <ErrorText>{saving.error}</ErrorText>}
      <Button type="submit" className="self-start" isBusy={saving.isBusy} disabled={!body.trim()}>
        Add note
      </Button>
    </form>
  );
}

function Note({ note, canWrite }: { note: ContactNote; canWrite: boolean }) {
  const { member } = useSession();
  const { file } = useContact();
  const { leaving } = useObservable(file);
  const timeZone = useTimeZone();
  const today = useToday(timeZone);
  const [isEditing, setIsEditing] = useState(false);
  const [error, setError] = useState<string | null>(null);

  if (leaving.has(note.id)) {
    return (
      <p
        role="status"
        className="flex min-h-11 items-center justify-between rounded-lg bg-sunken px-3 text-sm text-muted"
      >
        Note deleted
        <TextButton label="Undo" onClick={() => file.takeBack(note.id)} />
      </p>
    );
  }
  if (isEditing) return <NoteForm note={note} onDone={() => setIsEditing(false)} />;
  const isChanged = note.version > 1n;
  return (
    <article className="rounded-lg bg-sunken px-3 py-2 text-sm">
      <p className="break-words whitespace-pre-wrap [overflow-wrap:anywhere]">{note.body}</p>
      <div className="mt-1 flex flex-wrap items-center justify-between gap-x-2">
        <p className="text-xs text-muted">
          {[
            authorWords(note.author, member.id),
            timeWords(note.createTime, today, timeZone),
            isChanged ? "edited" : "",
          ]
            .filter(Boolean)
            .join(" · ")}
        </p>
        {canWrite && (
          <span className="flex">
            <TextButton label="Edit" onClick={() => setIsEditing(true)} />
            <TextButton
              label="Delete"
              onClick={() => {
                setError(null);
                file.deleteNote(note).catch((failure: unknown) => setError(sayError(failure)));
              }}
            />
          </span>
        )}
      </div>
      {error !== null && <ErrorText>{error}</ErrorText>}
    </article>
  );
}

function NoteForm({ note, onDone }: { note: ContactNote; onDone: () => void }) {
  const { file } = useContact();
  const saving = useAction();
  const requestIdFor = useRequestId();
  // As it was when somebody began to change it: a colleague's change meanwhile is not overwritten unseen.
  const [seen] = useState(note);
  const [body, setBody] = useState(note.body);

  async function submit(event: FormEvent) {
    event.preventDefault();
    const text = body.trim();
    if (text === "") return;
    const change = () => file.changeNote(seen, text, requestIdFor([text, seen.version]));
    if (text === seen.body || (await saving.run(change))) onDone();
  }

  return (
    <form className="flex flex-col gap-2" onSubmit={(event) => void submit(event)}>
      <TextArea
        label="Note"
        rows={3}
        required
        maxLength={LONGEST_NOTE}
        value={body}
        onChange={(event) => setBody(event.target.value)}
      />
      {saving.error !== null && <ErrorText>{saving.error}</ErrorText>}
      <div className="flex gap-2">
        <Button look="primary" type="submit" isBusy={saving.isBusy}>
          Save
        </Button>
        <Button look="quiet" onClick={onDone}>
          Cancel
        </Button>
      </div>
    </form>
  );
}
