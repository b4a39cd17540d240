/** Who changed what: the entries of every service, and whether their chains are as they were written. */

import { useState } from "react";
import { Button } from "../../ui/button";
import { RetryIcon, ScrollIcon } from "../../ui/icons";
import { EmptyState } from "../../ui/notice";
import { Section } from "../../ui/page";
import { Skeleton } from "../../ui/skeleton";
import { LoadFailure } from "../load-failure";
import { AuditChains, ChainSummary } from "./audit-chains";
import { AuditFilterFields } from "./audit-filters";
import { AuditTable } from "./audit-table";
import { NO_FILTERS, useAuditLog, useChains } from "./use-audit";

export default function Audit() {
  const [filters, setFilters] = useState(NO_FILTERS);
  const { rows, isBusy, error, hasMore, more, refresh } = useAuditLog(filters);
  const { chains, verify, forget } = useChains();
  return (
    <>
      <Section
        title="Audit"
        hint="Who changed what, and when."
        action={
          <Button onClick={refresh} disabled={isBusy}>
            <RetryIcon className="size-4" /> Refresh
          </Button>
        }
      >
        <ChainSummary chains={chains} />
        <AuditFilterFields filters={filters} onChange={setFilters} />
        {rows === null && error === null && <Skeleton className="h-64 rounded-xl!" />}
        {rows !== null && rows.length === 0 && !hasMore && (
          <EmptyState icon={<ScrollIcon className="size-7" />} title="No entries">
            Nothing was changed that these filters let through.
          </EmptyState>
        )}
        {rows !== null && rows.length > 0 && (
          <AuditTable
            rows={rows}
            chains={chains}
            onEntity={(entityId) => setFilters({ ...NO_FILTERS, entityId })}
          />
        )}
        {error !== null && <LoadFailure text={error} onAgain={() => void more()} />}
        {rows !== null && hasMore && error === null && (
          <Button className="self-center" isBusy={isBusy} onClick={() => void more()}>
            Show older entries
          </Button>
        )}
      </Section>
      <AuditChains chains={chains} onVerify={verify} onForget={forget} />
    </>
  );
}
