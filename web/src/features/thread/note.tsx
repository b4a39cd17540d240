/** What happened, between the messages: for the team, the customer never sees it. */

import { memo } from "react";
import type { Handover } from "../../gen/inbox/messaging/v1/thread_pb";
import { clockTime } from "../../ui/time";
import { noteWords } from "./note-words";
import type { NoteRow } from "./rows";

interface NoteProps {
  row: NoteRow;
  ownId: string;
  timeZone: string | undefined;
}

export const Note = memo(function Note({ row, ownId, timeZone }: NoteProps) {
  const { note, time } = row;
  return (
    <div className="mx-auto max-w-md px-4 py-2.5 text-center text-xs text-muted">
      <p>
        {noteWords(note, ownId)}
        <time dateTime={time.toISOString()} className="pl-1.5 text-faint">
          {clockTime(time, timeZone)}
        </time>
      </p>
      {note.kind.case === "handover" && <HandoverDetails handover={note.kind.value} />}
    </div>
  );
});

function HandoverDetails({ handover }: { handover: Handover }) {
  if (handover.summary === "" && handover.fields.length === 0) return null;
  return (
    <div className="mt-2 rounded-xl border border-line bg-raised px-3.5 py-2.5 text-left text-sm text-ink">
      {handover.summary !== "" && <p className="whitespace-pre-wrap">{handover.summary}</p>}
      {handover.fields.length > 0 && (
        <dl className="mt-1.5 grid grid-cols-[auto_1fr] gap-x-3 gap-y-0.5 text-xs first:mt-0">
          {handover.fields.map((field) => (
            <div key={field.key} className="contents">
              <dt className="text-muted">{field.key.replaceAll("_", " ")}</dt>
              <dd className="min-w-0 break-words">{field.value}</dd>
            </div>
          ))}
        </dl>
      )}
    </div>
  );
}
