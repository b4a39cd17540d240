/** Which screen is shown: sign-in, or the workspace of the member who is signed in. */

import { lazy, Suspense, useCallback, useEffect, useState } from "react";
import { refusalOf } from "../connection/refusal";
import { connectServices } from "../connection/rpc";
import { SessionContext } from "../features/session";
import { InvitePage } from "../features/sign-in/invite-page";
import { SignInPage } from "../features/sign-in/sign-in-page";
import { Button } from "../ui/button";
import { CloudOffIcon, InboxIcon } from "../ui/icons";
import { EmptyState } from "../ui/notice";
import { Spinner } from "../ui/spinner";
import { InboxPage } from "./inbox-page";
import { goBack, goTo, INBOX, useRoute } from "./router";
import { Session } from "./session";
import { Shell } from "./shell";

const ChannelsPage = lazy(() => import("../features/channels/channels-page"));
const SettingsPage = lazy(() => import("./settings-page"));

const services = connectServices(window.location.origin);

type Phase =
  | { name: "asking" }
  | { name: "unreachable" }
  | { name: "signed-out" }
  | { name: "signed-in"; session: Session };

export function App() {
  const route = useRoute();
  const [phase, setPhase] = useState<Phase>({ name: "asking" });
  const isOutside = route.page === "sign-in" || route.page === "invite";

  const ask = useCallback(() => {
    setPhase({ name: "asking" });
    services.identity.getSelf({}).then(
      (self) =>
        setPhase({
          name: "signed-in",
          session: new Session(services, self, () => setPhase({ name: "signed-out" })),
        }),
      (error: unknown) =>
        setPhase(refusalOf(error).isSignedOut ? { name: "signed-out" } : { name: "unreachable" }),
    );
  }, []);

  useEffect(() => {
    if (!isOutside) ask();
  }, [isOutside, ask]);

  useEffect(() => {
    if (phase.name !== "signed-out" || isOutside) return;
    const { pathname, search } = window.location;
    goTo({ page: "sign-in", link: null, next: pathname + search }, "replace");
  }, [phase, isOutside]);

  const session = phase.name === "signed-in" ? phase.session : null;
  useEffect(() => {
    session?.start();
    return () => session?.stop();
  }, [session]);

  if (route.page === "sign-in") {
    const enter = () => window.location.replace(route.next);
    return <SignInPage link={route.link} onSignedIn={enter} />;
  }
  if (route.page === "invite") {
    return (
      <InvitePage
        token={route.token}
        services={services}
        onSignedIn={() => window.location.replace("/")}
      />
    );
  }
  if (phase.name === "unreachable") {
    return (
      <EmptyState
        icon={<CloudOffIcon className="size-7" />}
        title="Inbox cannot be reached"
        action={
          <Button look="primary" onClick={ask}>
            Try again
          </Button>
        }
      >
        Check your connection. Nothing you wrote is lost.
      </EmptyState>
    );
  }
  if (session === null) return <Splash />;
  return (
    <SessionContext value={session}>
      <Shell route={route}>
        <Suspense fallback={<Splash />}>
          {route.page === "inbox" && <InboxPage route={route} />}
          {route.page === "channels" && <ChannelsPage onBack={toInbox} />}
          {route.page === "settings" && <SettingsPage place={route} onBack={toInbox} />}
        </Suspense>
      </Shell>
    </SessionContext>
  );
}

function toInbox() {
  goBack(INBOX);
}

function Splash() {
  return (
    <div
      role="status"
      aria-label="Loading"
      className="grid h-full flex-1 place-items-center bg-canvas text-faint"
    >
      <div className="flex flex-col items-center gap-4">
        <InboxIcon className="size-8" />
        <Spinner />
      </div>
    </div>
  );
}
