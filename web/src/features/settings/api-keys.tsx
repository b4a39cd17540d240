/** Keys for programs: made, shown once, ended. */

import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { type FormEvent, useCallback, useEffect, useState } from "react";
import { readAll } from "../../connection/read-all";
import type { Services } from "../../connection/rpc";
import type { ApiKey } from "../../gen/inbox/identity/v1/identity_pb";
import { Button } from "../../ui/button";
import { CopyField } from "../../ui/copy-field";
import { Dialog } from "../../ui/dialog";
import { Choice, Field } from "../../ui/field";
import { KeyIcon, PlusIcon } from "../../ui/icons";
import { EmptyState, ErrorText } from "../../ui/notice";
import { Rows, Section } from "../../ui/page";
import { Skeleton } from "../../ui/skeleton";
import { fullDate, toDate } from "../../ui/time";
import { LoadFailure } from "../load-failure";
import { useSession, useTimeZone } from "../session";
import { useAction } from "../use-action";
import { useRequestId } from "../use-request-id";
import { choices, KEY_ROLES, ROLE_NAMES } from "./roles";

const DAY_MILLIS = 86_400_000;
const LIFETIMES = [
  { value: "0", text: "Until it is revoked" },
  { value: "30", text: "For 30 days" },
  { value: "90", text: "For 90 days" },
  { value: "365", text: "For a year" },
];

export default function ApiKeys() {
  const { services } = useSession();
  const [keys, setKeys] = useState<readonly ApiKey[] | null>(null);
  const [isMaking, setIsMaking] = useState(false);
  const [ending, setEnding] = useState<ApiKey | null>(null);
  const { run, error } = useAction();
  const load = useCallback(
    () => run(async () => setKeys(await allKeys(services))),
    [services, run],
  );
  useEffect(() => void load(), [load]);
  const working = keys?.filter((key) => key.revokeTime === undefined) ?? [];
  return (
    <Section
      title="API keys"
      hint="For programs that read or write in this workspace."
      action={
        <Button look="primary" onClick={() => setIsMaking(true)}>
          <PlusIcon className="size-4" /> New key
        </Button>
      }
    >
      {error !== null && <LoadFailure text={error} onAgain={() => void load()} />}
      {keys === null && error === null && <Skeleton className="h-16 rounded-xl!" />}
      {keys !== null && working.length === 0 && (
        <EmptyState icon={<KeyIcon className="size-7" />} title="No keys">
          Make one to send and read messages from your own programs.
        </EmptyState>
      )}
      {working.length > 0 && (
        <Rows>
          {working.map((key) => (
            <KeyRow key={key.id} apiKey={key} onEnd={() => setEnding(key)} />
          ))}
        </Rows>
      )}
      {isMaking && <NewKeyDialog onClose={() => setIsMaking(false)} onMade={() => void load()} />}
      {ending !== null && (
        <EndDialog apiKey={ending} onClose={() => setEnding(null)} onEnded={() => void load()} />
      )}
    </Section>
  );
}

function endOf(days: number, from: number) {
  return days === 0 ? undefined : timestampFromMs(from + days * DAY_MILLIS);
}

/** Those revoked stay in the list, so the working ones may be on any page. */
function allKeys({ identity }: Services): Promise<readonly ApiKey[]> {
  return readAll(async (pageToken) => {
    const page = await identity.listApiKeys({ pageSize: 200, pageToken });
    return { items: page.apiKeys, nextPageToken: page.nextPageToken };
  });
}

function KeyRow({ apiKey, onEnd }: { apiKey: ApiKey; onEnd: () => void }) {
  const timeZone = useTimeZone();
  return (
    <li className="flex items-center gap-3 p-3 pl-4">
      <KeyIcon className="size-5 text-muted" />
      <div className="min-w-0 flex-1">
        <p className="truncate font-medium">{apiKey.displayName}</p>
        <p className="truncate text-sm text-muted">
          {ROLE_NAMES[apiKey.role]}
          {apiKey.createTime && ` · made ${fullDate(toDate(apiKey.createTime), timeZone)}`}
          {apiKey.expireTime && ` · until ${fullDate(toDate(apiKey.expireTime), timeZone)}`}
        </p>
      </div>
      <Button onClick={onEnd}>Revoke</Button>
    </li>
  );
}

function NewKeyDialog({ onClose, onMade }: { onClose: () => void; onMade: () => void }) {
  const { services } = useSession();
  const saving = useAction();
  const requestIdOf = useRequestId();
  // The same moment for every try, so that a repeat asks for the same key.
  const [openedAt] = useState(Date.now);
  const [secret, setSecret] = useState<string | null>(null);

  function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const wanted = {
      displayName: String(form.get("name")).trim(),
      role: Number(form.get("role")),
      expireTime: endOf(Number(form.get("days")), openedAt),
    };
    void saving.run(async () => {
      const requestId = requestIdOf([wanted]);
      const made = await services.identity.createApiKey({ requestId, ...wanted });
      setSecret(made.secret);
      onMade();
    });
  }

  return (
    <Dialog title={secret === null ? "New API key" : "Your new key"} isOpen onClose={onClose}>
      {secret === null ? (
        <form className="flex flex-col gap-4" onSubmit={submit}>
          <Field
            label="What it is for"
            name="name"
            required
            maxLength={80}
            placeholder="Order system"
          />
          <Choice label="May act as" name="role" options={choices(KEY_ROLES)} />
          <Choice label="Works" name="days" options={LIFETIMES} />
          {saving.error !== null && <ErrorText>{saving.error}</ErrorText>}
          <Button look="primary" type="submit" isBusy={saving.isBusy}>
            Make the key
          </Button>
        </form>
      ) : (
        <div className="flex flex-col gap-4">
          <p className="text-sm text-muted">Copy it now. It is shown this once and not stored.</p>
          <CopyField label="Key" text={secret} />
          <Button onClick={onClose}>Done</Button>
        </div>
      )}
    </Dialog>
  );
}

function EndDialog({
  apiKey,
  onClose,
  onEnded,
}: {
  apiKey: ApiKey;
  onClose: () => void;
  onEnded: () => void;
}) {
  const { services } = useSession();
  const ending = useAction();
  async function end() {
    await services.identity.revokeApiKey({ apiKeyId: apiKey.id });
    onEnded();
    onClose();
  }
  return (
    <Dialog title={`Revoke ${apiKey.displayName}?`} isOpen onClose={onClose}>
      <div className="flex flex-col gap-4">
        <p className="text-sm text-muted">
          Programs that use it are refused within 5 seconds. This cannot be undone.
        </p>
        {ending.error !== null && <ErrorText>{ending.error}</ErrorText>}
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>Cancel</Button>
          <Button look="danger" isBusy={ending.isBusy} onClick={() => void ending.run(end)}>
            Revoke
          </Button>
        </div>
      </div>
    </Dialog>
  );
}
