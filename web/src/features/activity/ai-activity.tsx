/** What the AI did, turn by turn: in one conversation, or everywhere. */

import { useCallback, useEffect, useMemo } from "react";
import { AssistantService } from "../../gen/inbox/assistant/v1/assistant_service_pb";
import { Button } from "../../ui/button";
import { SparkIcon } from "../../ui/icons";
import { EmptyState } from "../../ui/notice";
import { Section } from "../../ui/page";
import { Skeleton } from "../../ui/skeleton";
import { nameOf } from "../contact-name";
import { LoadFailure } from "../load-failure";
import { useInbox, useObservable, useSession } from "../session";
import { useAction } from "../use-action";
import type { TurnLinks } from "./turn-details";
import { TurnTable } from "./turn-table";
import { Turns } from "./turns";

const PAGE_SIZE = 50;

export default function AiActivity({
  conversationId,
  links,
  onAll,
}: {
  /** Empty for all. */
  conversationId: string;
  links: TurnLinks;
  /** Show those of all conversations. */
  onAll: () => void;
}) {
  const { turns, loading, load } = useTurns(conversationId);
  const value = useObservable(turns);
  useKnownCustomers(value.turns?.map((turn) => turn.conversationId) ?? [conversationId]);
  const customer = useInbox(({ state, pending }, views) => {
    const conversation = views.one(state, pending, conversationId);
    return conversation === null ? "" : nameOf(conversation);
  });
  const hint =
    conversationId === ""
      ? "Each time it tried to answer, in any conversation."
      : `Each time it tried to answer ${customer || "in this conversation"}.`;
  return (
    <Section
      title="AI activity"
      hint={hint}
      action={conversationId !== "" && <Button onClick={onAll}>Show all conversations</Button>}
    >
      {value.turns === null && loading.error === null && (
        <div role="status" aria-label="Loading the turns">
          <Skeleton className="h-64 rounded-xl!" />
        </div>
      )}
      {value.turns?.length === 0 && (
        <EmptyState icon={<SparkIcon className="size-7" />} title="The AI did nothing here yet">
          When it answers a customer, or hands over to a person, you find out here why.
        </EmptyState>
      )}
      {value.turns !== null && value.turns.length > 0 && (
        <TurnTable turns={value.turns} links={links} />
      )}
      {loading.error !== null && <LoadFailure text={loading.error} onAgain={load} />}
      {value.nextPageToken !== "" && loading.error === null && (
        <Button
          className="self-center"
          isBusy={loading.isBusy}
          onClick={() => void loading.run(() => turns.more())}
        >
          Show older turns
        </Button>
      )}
    </Section>
  );
}

function useTurns(conversationId: string) {
  const session = useSession();
  const loading = useAction();
  const { run } = loading;
  const turns = useMemo(() => {
    const assistant = session.services.of(AssistantService);
    return new Turns(conversationId, (pageToken) =>
      assistant.listTurns({ conversationId, pageToken, pageSize: PAGE_SIZE }),
    );
  }, [session, conversationId]);
  const load = useCallback(() => void run(() => turns.load()), [run, turns]);
  useEffect(() => {
    // First the ear, then the question: nothing falls between them.
    const stop = session.listen({ frame: (frame) => turns.receive(frame), snapshotNeeded: load });
    load();
    return stop;
  }, [session, turns, load]);
  return { turns, loading, load };
}

/** Whom the turns were about; without their names the rest can be read all the same. */
function useKnownCustomers(conversationIds: readonly string[]): void {
  const { inbox } = useSession();
  const unknown = useInbox(({ state }) =>
    [...new Set(conversationIds)]
      .filter((id) => id !== "" && !state.conversations.has(id))
      .join(" "),
  );
  useEffect(() => {
    if (unknown !== "") inbox.know(unknown.split(" ")).catch(() => {});
  }, [inbox, unknown]);
}
