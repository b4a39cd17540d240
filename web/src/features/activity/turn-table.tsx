/** The turns as a table; on a phone each row says in two lines what there is a column for elsewhere. */

import { Fragment, useState } from "react";
import { type Turn, TurnOutcome } from "../../gen/inbox/assistant/v1/assistant_pb";
import { ArrowDownIcon } from "../../ui/icons";
import { fullTime, listTime, toDate } from "../../ui/time";
import { useToday } from "../../ui/use-now";
import { nameOf } from "../contact-name";
import { useConversation, useTimeZone } from "../session";
import { TurnDetails, type TurnLinks } from "./turn-details";
import { durationWords, outcomeWords, providerWords } from "./turn-words";

const HEAD = "px-3 py-2 text-left text-xs font-medium text-muted max-md:hidden";
const CELL = "px-3 py-2.5 align-top text-sm max-md:hidden";

export function TurnTable({ turns, links }: { turns: readonly Turn[]; links: TurnLinks }) {
  return (
    <div className="overflow-hidden rounded-xl border border-line">
      <table className="w-full border-collapse md:table-fixed">
        <caption className="sr-only">Turns of the AI, newest first</caption>
        <thead className="border-b border-line bg-sunken max-md:sr-only">
          <tr>
            <th scope="col" className={`${HEAD} w-[40%]`}>
              How it ended
            </th>
            <th scope="col" className={HEAD}>
              Customer
            </th>
            <th scope="col" className={HEAD}>
              Provider
            </th>
            <th scope="col" className={`${HEAD} w-[18%]`}>
              When
            </th>
          </tr>
        </thead>
        <tbody className="divide-y divide-line">
          {turns.map((turn) => (
            <TurnRow key={turn.id} turn={turn} links={links} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function TurnRow({ turn, links }: { turn: Turn; links: TurnLinks }) {
  const timeZone = useTimeZone();
  const today = useToday(timeZone);
  const [isOpen, setIsOpen] = useState(false);
  const conversation = useConversation(turn.conversationId);
  const customer = conversation === null ? "A customer" : nameOf(conversation);
  const at = turn.endTime ? toDate(turn.endTime) : null;
  const took = durationWords(turn.providerDuration);
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
              <span className="flex items-start gap-2 text-sm font-medium">
                <span
                  aria-hidden="true"
                  className={`mt-1.5 size-2 shrink-0 rounded-full ${dotOf(turn.outcome)}`}
                />
                <span className="min-w-0 break-words">{outcomeWords(turn)}</span>
              </span>
              <span className="text-xs text-muted md:hidden">
                {[customer, providerWords(turn), at && listTime(at, today, timeZone)]
                  .filter(Boolean)
                  .join(" · ")}
              </span>
            </span>
          </button>
        </td>
        <td className={`${CELL} break-words`}>{customer}</td>
        <td className={`${CELL} break-words`}>
          {providerWords(turn)}
          {took !== "" && <span className="block text-xs text-muted">{took}</span>}
        </td>
        <td className={CELL}>
          {at && (
            <time dateTime={at.toISOString()} title={fullTime(at, timeZone)}>
              {listTime(at, today, timeZone)}
            </time>
          )}
        </td>
      </tr>
      {isOpen && (
        <tr className="bg-sunken">
          <td colSpan={4} className="p-3 md:px-8 md:py-4">
            <TurnDetails turn={turn} links={links} />
          </td>
        </tr>
      )}
    </Fragment>
  );
}

/** Seconded by the words beside it. */
function dotOf(outcome: TurnOutcome): string {
  switch (outcome) {
    case TurnOutcome.REPLIED:
      return "bg-good";
    case TurnOutcome.HANDED_OVER:
      return "bg-warn";
    case TurnOutcome.REFUSED:
      return "bg-danger";
    default:
      return "bg-line-strong";
  }
}
