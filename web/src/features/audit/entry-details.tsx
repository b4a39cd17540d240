/** What one entry changed, and its place in the chain. */

import type { AuditEntry } from "../../gen/inbox/audit/v1/audit_pb";
import { Button } from "../../ui/button";
import { fullTime, toDate } from "../../ui/time";
import { useTimeZone } from "../session";
import type { EntryStanding } from "./chains";
import { asWords, changedFields } from "./words";

const STANDING_WORDS: Record<EntryStanding, string> = {
  verified: "verified",
  broken: "not as it was written",
  "not-looked-at": "not looked at yet",
  waiting: "has no place in its chain yet; it gets one within a second",
};

export function EntryDetails({
  entry,
  standing,
  onEntity,
}: {
  entry: AuditEntry;
  standing: EntryStanding;
  onEntity: () => void;
}) {
  const timeZone = useTimeZone();
  const fields = changedFields(entry.before, entry.after);
  return (
    <div className="flex flex-col gap-3">
      {entry.eraseTime !== undefined && (
        <p className="text-sm text-muted">
          What was changed was erased on {fullTime(toDate(entry.eraseTime), timeZone)}; the entry
          itself stays.
        </p>
      )}
      {entry.eraseTime === undefined && fields.length === 0 && (
        <p className="text-sm text-muted">Nothing of it is kept but that it happened.</p>
      )}
      {fields.length > 0 && (
        <dl className="flex flex-col gap-2 text-sm">
          {fields.map(({ name, before, after }) => (
            <div key={name} className="grid gap-x-3 sm:grid-cols-[11rem_1fr]">
              <dt className="break-words text-muted">{asWords(name)}</dt>
              <dd className="min-w-0 break-words whitespace-pre-wrap">
                {before !== null && (
                  <del className="text-muted decoration-1">
                    <span className="sr-only">before: </span>
                    {before === "" ? "empty" : before}
                  </del>
                )}
                {before !== null && after !== null && " "}
                {after !== null && (
                  <ins className="no-underline">
                    <span className="sr-only">after: </span>
                    {after === "" ? <span className="text-muted">empty</span> : after}
                  </ins>
                )}
              </dd>
            </div>
          ))}
        </dl>
      )}
      <div className="flex flex-wrap items-center justify-between gap-2">
        <p className="min-w-0 text-xs break-all text-muted">
          {entry.position === 0n
            ? `It ${STANDING_WORDS.waiting}.`
            : `Entry ${entry.position.toLocaleString("en-US")} of its chain, ${STANDING_WORDS[standing]}.`}{" "}
          {entry.command} · {entry.entityKind} {entry.entityId}
        </p>
        <Button onClick={onEntity}>Only this {asWords(entry.entityKind).toLowerCase()}</Button>
      </div>
    </div>
  );
}
