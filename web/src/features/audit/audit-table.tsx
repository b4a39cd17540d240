/** The entries as a table; on a phone each row says in two lines what there is a column for elsewhere. */

import { Fragment, useState } from "react";
import { type Actor, ActorKind } from "../../gen/inbox/audit/v1/audit_pb";
import { ArrowDownIcon } from "../../ui/icons";
import { fullDate, fullTime, preciseTime, toDate } from "../../ui/time";
import { useInbox, useTimeZone } from "../session";
import type { AuditRow } from "./audit-log";
import { standingOf } from "./chains";
import { EntryDetails } from "./entry-details";
import { DOMAIN_NAMES, type Domain } from "./sources";
import type { Chains } from "./use-audit";
import { asWords, commandWords, shortId } from "./words";

const HEAD = "px-3 py-2 text-left text-xs font-medium text-muted max-md:hidden";
const CELL = "px-3 py-2.5 align-top text-sm max-md:hidden";

export function AuditTable({
  rows,
  chains,
  onEntity,
}: {
  rows: readonly AuditRow<Domain>[];
  chains: Chains;
  onEntity: (entityId: string) => void;
}) {
  return (
    <div className="overflow-hidden rounded-xl border border-line">
      <table className="w-full border-collapse md:table-fixed">
        <caption className="sr-only">Entries, newest first</caption>
        <thead className="border-b border-line bg-sunken max-md:sr-only">
          <tr>
            <th scope="col" className={`${HEAD} w-[34%]`}>
              What
            </th>
            <th scope="col" className={HEAD}>
              Who
            </th>
            <th scope="col" className={HEAD}>
              On what
            </th>
            <th scope="col" className={`${HEAD} w-[24%]`}>
              When
            </th>
          </tr>
        </thead>
        <tbody className="divide-y divide-line">
          {rows.map((row) => (
            <EntryRow
              key={`${row.domain} ${row.entry.id}`}
              row={row}
              chains={chains}
              onEntity={onEntity}
            />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function EntryRow({
  row: { domain, entry },
  chains,
  onEntity,
}: {
  row: AuditRow<Domain>;
  chains: Chains;
  onEntity: (entityId: string) => void;
}) {
  const timeZone = useTimeZone();
  const [isOpen, setIsOpen] = useState(false);
  const entityName = useEntityName(entry.entityKind, entry.entityId);
  const at = entry.createTime ? toDate(entry.createTime) : null;
  const who = actorName(entry.actor);
  const entity = `${asWords(entry.entityKind)} ${entityName}`;
  return (
    <Fragment>
      <tr className="hover:bg-hover">
        <td className="w-full p-0 align-top md:w-auto">
          <button
            type="button"
            aria-expanded={isOpen}
            onClick={() => setIsOpen(!isOpen)}
            className="flex min-h-11 w-full items-start gap-2 px-3 py-2.5 text-left"
          >
            <ArrowDownIcon
              className={`mt-0.5 size-3.5 text-faint transition-transform ${isOpen ? "" : "-rotate-90"}`}
            />
            <span className="flex min-w-0 flex-col">
              <span className="text-sm font-medium break-words">{commandWords(entry.command)}</span>
              <span className="text-xs text-muted max-md:hidden">{DOMAIN_NAMES[domain]}</span>
              <span className="text-xs text-muted md:hidden">
                {who} · {entity}
                {at && ` · ${fullTime(at, timeZone)}`}
              </span>
            </span>
          </button>
        </td>
        <td className={`${CELL} break-words`}>{who}</td>
        <td className={`${CELL} break-words`}>
          {asWords(entry.entityKind)}
          <span className="block truncate text-xs text-muted">{entityName}</span>
        </td>
        <td className={CELL}>
          {at && (
            <time dateTime={at.toISOString()}>
              {fullDate(at, timeZone)}
              <span className="block text-xs text-muted">{preciseTime(at, timeZone)}</span>
            </time>
          )}
        </td>
      </tr>
      {isOpen && (
        <tr className="bg-sunken">
          <td colSpan={4} className="p-3 md:px-8">
            <EntryDetails
              entry={entry}
              standing={standingOf(entry.position, chains[domain])}
              onEntity={() => onEntity(entry.entityId)}
            />
          </td>
        </tr>
      )}
    </Fragment>
  );
}

function actorName(actor: Actor | undefined): string {
  switch (actor?.kind) {
    case ActorKind.SYSTEM:
      return "Inbox itself";
    case ActorKind.API_KEY:
      return `${actor.displayName || shortId(actor.id)} (key)`;
    case ActorKind.SERVICE:
      return actor.displayName === "service" ? "A service of Inbox" : actor.displayName;
    default:
      return actor?.displayName || shortId(actor?.id ?? "");
  }
}

/** By the name it has today where this client knows it. */
function useEntityName(kind: string, id: string): string {
  const state = useInbox((snapshot) => snapshot.state);
  const named =
    kind === "member"
      ? state.members.get(id)
      : kind === "channel"
        ? state.channels.get(id)
        : kind === "tag"
          ? state.tags.get(id)
          : undefined;
  return named?.displayName || shortId(id);
}
