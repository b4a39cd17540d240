/** Details that the AI collected or a member wrote down, each with who did and where it was read. */

import { type FormEvent, useState } from "react";
import type { ContactField } from "../../gen/inbox/conversation/v1/contact_pb";
import { AuthorKind } from "../../gen/inbox/messaging/v1/message_pb";
import { Button } from "../../ui/button";
import { Field, TextArea } from "../../ui/field";
import { SparkIcon } from "../../ui/icons";
import { ErrorText } from "../../ui/notice";
import { useToday } from "../../ui/use-now";
import { useSession, useTimeZone } from "../session";
import { useAction } from "../use-action";
import { useRequestId } from "../use-request-id";
import { authorWords, timeWords } from "./author-words";
import { Nothing, Section, TextButton } from "./section";
import { useContact } from "./use-contact";

export type OpenMessage = (conversationId: string, seq: bigint) => void;

export function DetailsSection({ onOpenMessage }: { onOpenMessage: OpenMessage }) {
  const { canWrite } = useSession();
  const { profile } = useContact();
  /** The key of the one that is changed; empty for a new one. */
  const [edited, setEdited] = useState<string | null>(null);
  const close = () => setEdited(null);
  return (
    <Section
      title="Details"
      action={canWrite && <TextButton label="Add detail" onClick={() => setEdited("")} />}
    >
      {profile.fields.length === 0 && edited === null && (
        <Nothing>What the AI collects or somebody adds stands here.</Nothing>
      )}
      {profile.fields.length > 0 && (
        <ul aria-label="Details" className="flex flex-col gap-3">
          {profile.fields.map((field) => (
            <li key={field.key}>
              {edited === field.key ? (
                <DetailForm field={field} onDone={close} />
              ) : (
                <Detail
                  field={field}
                  onEdit={canWrite ? () => setEdited(field.key) : null}
                  onOpenMessage={onOpenMessage}
                />
              )}
            </li>
          ))}
        </ul>
      )}
      {edited === "" && <DetailForm field={null} onDone={close} />}
    </Section>
  );
}

function nameOf(key: string): string {
  const words = key.replaceAll("_", " ");
  return words.charAt(0).toLocaleUpperCase() + words.slice(1);
}

function Detail({
  field,
  onEdit,
  onOpenMessage,
}: {
  field: ContactField;
  onEdit: (() => void) | null;
  onOpenMessage: OpenMessage;
}) {
  const { member } = useSession();
  const timeZone = useTimeZone();
  const today = useToday(timeZone);
  const { sourceConversationId, sourceSeq } = field;
  const when = timeWords(field.updateTime, today, timeZone);
  return (
    <div className="flex items-start gap-2">
      <div className="min-w-0 flex-1 text-sm">
        <p className="text-xs text-muted">{nameOf(field.key)}</p>
        <p className="break-words whitespace-pre-wrap [overflow-wrap:anywhere]">{field.value}</p>
        <p className="flex flex-wrap items-center gap-x-1 text-xs text-faint">
          {field.author?.kind === AuthorKind.AI && (
            <SparkIcon className="size-3.5 text-accent-text" />
          )}
          {[authorWords(field.author, member.id), when].filter(Boolean).join(" · ")}
          {sourceConversationId !== "" && sourceSeq > 0n && (
            <TextButton
              label="Show message"
              onClick={() => onOpenMessage(sourceConversationId, sourceSeq)}
            />
          )}
        </p>
      </div>
      {onEdit !== null && <TextButton label="Edit" of={nameOf(field.key)} onClick={onEdit} />}
    </div>
  );
}

function DetailForm({ field, onDone }: { field: ContactField | null; onDone: () => void }) {
  const { file } = useContact();
  const saving = useAction();
  const requestIdFor = useRequestId();

  async function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const name = String(form.get("name") ?? "");
    const change = {
      key: field?.key ?? name.trim().toLocaleLowerCase().replaceAll(/\s+/gu, "_"),
      value: String(form.get("value") ?? "").trim(),
    };
    if (await saving.run(() => file.setField(change, requestIdFor([change])))) onDone();
  }
  async function remove() {
    if (field !== null && (await saving.run(() => file.deleteField(field.key)))) onDone();
  }

  const errorOf = (name: string) =>
    saving.fieldError?.field === name ? saving.fieldError.text : null;
  return (
    <form className="flex flex-col gap-3" onSubmit={(event) => void submit(event)}>
      {field === null && (
        <Field
          label="What it is"
          name="name"
          required
          maxLength={64}
          placeholder="Order number"
          error={errorOf("key")}
        />
      )}
      <TextArea
        label={field === null ? "Value" : nameOf(field.key)}
        name="value"
        required
        rows={2}
        maxLength={1000}
        defaultValue={field?.value}
        error={errorOf("value")}
      />
      {saving.error !== null && saving.fieldError === null && <ErrorText>{saving.error}</ErrorText>}
      <div className="flex flex-wrap gap-2">
        <Button look="primary" type="submit" isBusy={saving.isBusy}>
          Save
        </Button>
        <Button look="quiet" onClick={onDone}>
          Cancel
        </Button>
        {field !== null && (
          <Button look="quiet" disabled={saving.isBusy} onClick={() => void remove()}>
            Delete
          </Button>
        )}
      </div>
    </form>
  );
}
