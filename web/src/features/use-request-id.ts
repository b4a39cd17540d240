/** The id of a request: the same for every try of the same content, so a lost answer does not make it happen twice. */

import { useCallback, useRef } from "react";

export function useRequestId(): (content: readonly unknown[]) => string {
  const last = useRef({ content: "", requestId: "" });
  return useCallback((content) => {
    const key = JSON.stringify(content, (_, value: unknown) =>
      typeof value === "bigint" ? String(value) : value,
    );
    if (last.current.content !== key) {
      last.current = { content: key, requestId: crypto.randomUUID() };
    }
    return last.current.requestId;
  }, []);
}
