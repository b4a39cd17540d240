/** The member's own settings, and the workspace's: each section is loaded when somebody goes there. */

import { lazy, type ReactNode, Suspense } from "react";
import { OwnersOnly } from "../features/owners-only";
import { useSession } from "../features/session";
import { Page } from "../ui/page";
import { Skeleton } from "../ui/skeleton";
import { goBack, goTo, INBOX, pathOf, type Route } from "./router";
import type { SettingsPlace } from "./settings-address";
import { SettingsNav } from "./settings-nav";

const Account = lazy(() => import("../features/settings/account"));
const Members = lazy(() => import("../features/settings/members"));
const ApiKeys = lazy(() => import("../features/settings/api-keys"));
const Audit = lazy(() => import("../features/audit/audit"));
const InboxSettings = lazy(() => import("../features/settings/inbox-settings"));
const AssistantSettings = lazy(() => import("../features/assistant/assistant-settings"));
const AiActivity = lazy(() => import("../features/activity/ai-activity"));
const TryQuestion = lazy(() => import("../features/knowledge/try-question"));
const Knowledge = lazy(() => import("../features/knowledge/knowledge"));

const ARTICLES: Route = { page: "settings", section: "knowledge", entry: null };

function articleAt(entry: string): Route {
  return { page: "settings", section: "knowledge", entry };
}

function messageAt(conversationId: string, seq: bigint): Route {
  return { ...INBOX, conversationId, at: { seq } };
}

export default function SettingsPage({
  place,
  onBack,
}: {
  place: SettingsPlace;
  onBack: () => void;
}) {
  return (
    <Page title="Settings" onBack={onBack} nav={<SettingsNav section={place.section} />}>
      <Suspense fallback={<Waiting />}>
        <Section place={place} />
      </Suspense>
    </Page>
  );
}

function Section({ place }: { place: SettingsPlace }): ReactNode {
  const { isOwner } = useSession();
  const knowledge = {
    hrefOf: (entry: string) => pathOf(articleAt(entry)),
    onOpen: (entry: string) => goTo(articleAt(entry)),
  };
  switch (place.section) {
    case "account":
      return <Account />;
    case "members":
      return <Members />;
    case "keys":
      return isOwner ? <ApiKeys /> : <OwnersOnly what="make and revoke keys" />;
    case "knowledge":
      return <Knowledge entry={place.entry} {...knowledge} onClose={() => goBack(ARTICLES)} />;
    case "assistant":
      return (
        <>
          <AssistantSettings />
          <TryQuestion {...knowledge} />
        </>
      );
    case "activity":
      return (
        <AiActivity
          key={place.entry}
          conversationId={place.entry ?? ""}
          links={{
            hrefOfMessage: (id, seq) => pathOf(messageAt(id, seq)),
            openMessage: (id, seq) => goTo(messageAt(id, seq)),
            hrefOfArticle: knowledge.hrefOf,
            openArticle: knowledge.onOpen,
          }}
          onAll={() => goTo({ page: "settings", section: "activity", entry: null })}
        />
      );
    case "inbox":
      return <InboxSettings />;
    case "audit":
      return isOwner ? <Audit /> : <OwnersOnly what="see who changed what" />;
    default:
      return place.section satisfies never;
  }
}

function Waiting() {
  return (
    <div role="status" aria-label="Loading the section">
      <Skeleton className="h-40 rounded-xl!" />
    </div>
  );
}
