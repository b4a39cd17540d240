/** Which entries are shown: of which service, by whom, since when, of which entity. */

import { useCallback } from "react";
import { Chip } from "../../ui/chip";
import { Choice } from "../../ui/field";
import { CloseIcon } from "../../ui/icons";
import { useInbox, useSession } from "../session";
import { useLoaded } from "../use-loaded";
import { DOMAIN_NAMES, DOMAINS } from "./sources";
import type { AuditFilters } from "./use-audit";
import { shortId } from "./words";

const SERVICES = [
  { value: "", text: "Everything" },
  ...DOMAINS.map((domain) => ({ value: domain, text: DOMAIN_NAMES[domain] })),
];
const SPANS = [
  { value: "0", text: "Any time" },
  { value: "1", text: "The last 24 hours" },
  { value: "7", text: "The last 7 days" },
  { value: "30", text: "The last 30 days" },
];

export function AuditFilterFields({
  filters,
  onChange,
}: {
  filters: AuditFilters;
  onChange: (filters: AuditFilters) => void;
}) {
  const actors = useActors();
  return (
    <div className="flex flex-col gap-3">
      <div className="grid grid-cols-2 gap-3 sm:grid-cols-3">
        <div className="max-sm:col-span-2">
          <Choice
            label="About"
            value={filters.domain ?? ""}
            options={SERVICES}
            onChange={({ target }) => {
              const domain = DOMAINS.find((one) => one === target.value) ?? null;
              onChange({ ...filters, domain });
            }}
          />
        </div>
        <Choice
          label="By"
          value={filters.actorId}
          options={actors}
          onChange={({ target }) => onChange({ ...filters, actorId: target.value })}
        />
        <Choice
          label="Since"
          value={String(filters.days)}
          options={SPANS}
          onChange={({ target }) => onChange({ ...filters, days: Number(target.value) })}
        />
      </div>
      {filters.entityId !== "" && (
        <div className="flex">
          <Chip
            icon={<CloseIcon className="size-3.5" />}
            isOn
            onToggle={() => onChange({ ...filters, entityId: "" })}
          >
            Only {shortId(filters.entityId)}
          </Chip>
        </div>
      )}
    </div>
  );
}

/** Members, those removed too, and keys: whoever can have changed something. */
function useActors(): readonly { value: string; text: string }[] {
  const { services } = useSession();
  const members = useInbox((snapshot) => snapshot.state.members);
  const load = useCallback(
    async () => (await services.identity.listApiKeys({ pageSize: 200 })).apiKeys,
    [services],
  );
  const { value: keys } = useLoaded(load);
  return [
    { value: "", text: "Anybody" },
    ...[...members.values()].map(({ id, displayName }) => ({ value: id, text: displayName })),
    ...(keys ?? []).map(({ id, displayName }) => ({ value: id, text: `${displayName} (key)` })),
  ];
}
