/** The entries that the filters let through, and the state of every chain. */

import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import { sayError } from "../say-error";
import { useInbox, useSession } from "../session";
import { useAction } from "../use-action";
import { AuditLog, type AuditRow } from "./audit-log";
import { type ChainState, verifyChain } from "./chains";
import { forgetAnchor, keepAnchor, keptAnchor } from "./kept-anchors";
import { auditOf, DOMAINS, type Domain } from "./sources";

export interface AuditFilters {
  readonly domain: Domain | null;
  readonly actorId: string;
  /** How far back; 0 is everything. */
  readonly days: number;
  readonly entityId: string;
}

export const NO_FILTERS: AuditFilters = { domain: null, actorId: "", days: 0, entityId: "" };

const PAGE_SIZE = 50;
const DAY_MILLIS = 86_400_000;

export function useAuditLog(filters: AuditFilters) {
  const { services } = useSession();
  const { run, isBusy, error } = useAction();
  const [visit, setVisit] = useState(0);
  const [rows, setRows] = useState<readonly AuditRow<Domain>[] | null>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another visit reads everything anew
  const log = useMemo(() => {
    const { domain, actorId, days, entityId } = filters;
    const sinceTime = days === 0 ? undefined : timestampFromMs(Date.now() - days * DAY_MILLIS);
    return new AuditLog(
      (domain === null ? DOMAINS : [domain]).map((one) => ({
        domain: one,
        list: (pageToken: string) =>
          auditOf(services, one).listAuditEntries({
            pageSize: PAGE_SIZE,
            pageToken,
            actorId,
            entityId,
            sinceTime,
          }),
      })),
    );
  }, [services, filters, visit]);
  const current = useRef(log);

  const more = useCallback(
    () =>
      run(async () => {
        const next = await log.next(PAGE_SIZE);
        if (current.current === log) setRows((shown) => [...(shown ?? []), ...next]);
      }),
    [run, log],
  );
  useEffect(() => {
    current.current = log;
    setRows(null);
    void more();
  }, [log, more]);
  return {
    rows,
    isBusy,
    error,
    hasMore: log.hasMore,
    more,
    refresh: () => setVisit((count) => count + 1),
  };
}

export type Chains = Readonly<Partial<Record<Domain, ChainState>>>;

/** Chains are looked at on coming here, each through what this browser saw of it before. */
export function useChains() {
  const { services } = useSession();
  const workspaceId = useInbox((snapshot) => snapshot.state.workspace?.id ?? "");
  const [chains, setChains] = useState<Chains>({});
  const isHere = useRef(true);

  const run = useCallback(
    (domain: Domain, from?: { count: bigint; pageToken: string }) => {
      const audit = auditOf(services, domain);
      const anchor = keptAnchor(workspaceId, domain)?.anchor;
      const onState = (state: ChainState) => {
        if (!isHere.current) return false;
        if (state.kind === "verified" && state.anchor !== null) {
          keepAnchor(workspaceId, domain, state.anchor, Date.now());
        }
        setChains((known) => ({ ...known, [domain]: state }));
        return true;
      };
      const ask = (pageToken: string) => audit.verifyAuditChain({ pageToken, anchor });
      void verifyChain(ask, onState, sayError, from);
    },
    [services, workspaceId],
  );
  useEffect(() => {
    isHere.current = true;
    if (workspaceId !== "") for (const domain of DOMAINS) run(domain);
    return () => {
      isHere.current = false;
    };
  }, [run, workspaceId]);

  return {
    chains,
    verify: (domain: Domain) => {
      const chain = chains[domain];
      run(domain, chain?.kind === "paused" ? chain : undefined);
    },
    forget: (domain: Domain) => {
      forgetAnchor(workspaceId, domain);
      run(domain);
    },
  };
}
