/** Tells colleagues where this member is. It fades after 30 s on the other side, so it is said again. */

import { useCallback, useEffect, useRef } from "react";
import { useObservable, useSession } from "../features/session";

const SAID_EVERY_MILLIS = 20_000;

export function usePresence(conversationId: string): (isTyping: boolean) => void {
  const { live, status: observed, canWrite } = useSession();
  const isLive = useObservable(observed).phase === "live";
  const isTyping = useRef(false);

  const tell = useCallback(() => {
    const isHere = document.visibilityState === "visible";
    live.tellPresence({
      conversationId: isHere ? conversationId : "",
      isTyping: isHere && isTyping.current && canWrite,
    });
  }, [live, conversationId, canWrite]);

  useEffect(() => {
    if (!isLive) return;
    tell();
    const timer = setInterval(tell, SAID_EVERY_MILLIS);
    document.addEventListener("visibilitychange", tell);
    return () => {
      clearInterval(timer);
      document.removeEventListener("visibilitychange", tell);
      live.tellPresence({ conversationId: "", isTyping: false });
    };
  }, [isLive, live, tell]);

  return useCallback(
    (typing: boolean) => {
      isTyping.current = typing;
      tell();
    },
    [tell],
  );
}
