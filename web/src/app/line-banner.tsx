/** Tells when the line is broken for more than two seconds, and what that means for the person. */

import { useEffect, useState } from "react";
import { CloseCode } from "../connection/close-codes";
import type { SocketStatus } from "../connection/socket";
import { useInbox, useObservable, useSession } from "../features/session";
import { Button } from "../ui/button";
import { CloudOffIcon } from "../ui/icons";
import { Banner } from "../ui/notice";
import { Spinner } from "../ui/spinner";

/** Short breaks heal by themselves; telling about them would only disturb. */
const SHOWN_AFTER_MILLIS = 2_000;

function useIsOver(since: number | null, millis: number): boolean {
  const [isOver, setIsOver] = useState(false);
  useEffect(() => {
    setIsOver(false);
    if (since === null) return;
    const timer = setTimeout(() => setIsOver(true), Math.max(0, since + millis - Date.now()));
    return () => clearTimeout(timer);
  }, [since, millis]);
  return since !== null && isOver;
}

function brokenSince(status: SocketStatus): number | null {
  return status.phase === "connecting" || status.phase === "waiting" || status.phase === "stopped"
    ? status.since
    : null;
}

function stoppedSaying(code: number): string {
  switch (code) {
    case CloseCode.FORBIDDEN:
      return "Live updates were ended for your account.";
    case CloseCode.TOO_MANY:
      return "Live updates paused: too many requests came from this browser.";
    default:
      return "Live updates stopped. Reload the page to get the newest version.";
  }
}

export function LineBanner() {
  const { live, status: observed } = useSession();
  const status = useObservable(observed);
  const since = brokenSince(status);
  const isShown = useIsOver(since, SHOWN_AFTER_MILLIS);
  const isStale = useInbox((snapshot) => snapshot.isLoaded && snapshot.isCatchingUp);
  const [catchingUpSince, setCatchingUpSince] = useState<number | null>(null);
  useEffect(() => setCatchingUpSince(isStale ? Date.now() : null), [isStale]);
  const isCatchingUpShown = useIsOver(catchingUpSince, SHOWN_AFTER_MILLIS);

  if (isShown && status.phase === "stopped") {
    return (
      <Banner
        isLive
        tone="danger"
        icon={<CloudOffIcon className="size-4.5" />}
        action={
          <Button className="min-h-8 max-md:min-h-11" onClick={() => live.connectNow()}>
            Connect again
          </Button>
        }
      >
        {stoppedSaying(status.code)}
      </Banner>
    );
  }
  if (isShown) {
    return (
      <Banner
        isLive
        tone="warn"
        icon={<Spinner className="size-4.5" />}
        action={
          <button
            type="button"
            className="min-h-8 rounded-md font-semibold underline-offset-2 hover:underline max-md:min-h-11"
            onClick={() => live.connectNow()}
          >
            Try now
          </button>
        }
      >
        Reconnecting… What you write is kept and sent once.
      </Banner>
    );
  }
  if (isCatchingUpShown) {
    return (
      <Banner isLive tone="info" icon={<Spinner className="size-4.5" />}>
        Catching up with what happened meanwhile…
      </Banner>
    );
  }
  return null;
}
