/** Who answers new conversations, and when the AI takes one over again. */

import { type FormEvent, useCallback, useState } from "react";
import { refusalOf } from "../../connection/refusal";
import { Reason } from "../../gen/inbox/error/v1/reason_pb";
import type { MessagingSettings } from "../../gen/inbox/messaging/v1/messaging_service_pb";
import { ConversationMode } from "../../gen/inbox/messaging/v1/thread_pb";
import { Button } from "../../ui/button";
import { Choice, Field } from "../../ui/field";
import { ErrorText } from "../../ui/notice";
import { Section } from "../../ui/page";
import { Skeleton } from "../../ui/skeleton";
import { useToast } from "../../ui/toast";
import { LoadFailure } from "../load-failure";
import { useSession } from "../session";
import { useAction } from "../use-action";
import { useLoaded } from "../use-loaded";
import { minutesOf, resumeAfter } from "./resume-minutes";

const ANSWERERS = [
  { value: String(ConversationMode.MANUAL), text: "People" },
  { value: String(ConversationMode.AI), text: "The AI" },
];

export function AnsweringForm() {
  const { services } = useSession();
  const load = useCallback(async () => {
    const { settings } = await services.messaging.getMessagingSettings({});
    if (settings === undefined) throw new Error("the answer lacks the settings");
    return settings;
  }, [services]);
  const { value, error, set, again } = useLoaded(load);
  return (
    <Section
      title="Who answers"
      hint="For conversations from now on; those there are keep what they have."
    >
      {error !== null && <LoadFailure text={error} onAgain={() => void again()} />}
      {value === null && error === null && <Skeleton className="h-24 rounded-xl!" />}
      {value !== null && <Editor settings={value} onSaved={set} onReload={again} />}
    </Section>
  );
}

function Editor({
  settings,
  onSaved,
  onReload,
}: {
  settings: MessagingSettings;
  onSaved: (settings: MessagingSettings) => void;
  onReload: () => Promise<unknown>;
}) {
  const { services, isOwner } = useSession();
  const toast = useToast();
  const saving = useAction();
  const [mode, setMode] = useState<ConversationMode | null>(null);
  const [minutes, setMinutes] = useState<string | null>(null);

  const present = minutesOf(settings.resumeAiAfter);
  const after = minutes === null ? null : resumeAfter(minutes);
  const hasChanges =
    (mode ?? settings.defaultMode) !== settings.defaultMode || (minutes ?? present) !== present;

  async function save() {
    try {
      const { settings: saved } = await services.messaging.updateMessagingSettings({
        defaultMode: mode ?? ConversationMode.UNSPECIFIED,
        resumeAiAfter: after ?? undefined,
        expectedVersion: settings.version,
      });
      if (saved) onSaved(saved);
    } catch (error) {
      if (refusalOf(error).reason === Reason.VERSION_CONFLICT) await onReload();
      throw error;
    }
    setMode(null);
    setMinutes(null);
    toast({ text: "Saved" });
  }
  function submit(event: FormEvent) {
    event.preventDefault();
    if (hasChanges && (minutes === null || after !== null)) void saving.run(save);
  }

  const refused = saving.fieldError?.field === "resume_ai_after" ? saving.fieldError.text : null;
  const isUnreadable = minutes !== null && after === null;
  return (
    <form onSubmit={submit} noValidate>
      <fieldset disabled={!isOwner} className="flex min-w-0 flex-col gap-5">
        <legend className="sr-only">Who answers</legend>
        <div className="grid gap-5 sm:grid-cols-2">
          <Choice
            label="New conversations"
            options={ANSWERERS}
            value={String(mode ?? settings.defaultMode)}
            onChange={(event) => {
              setMode(Number(event.target.value));
              saving.clear();
            }}
            hint="Whoever it is, one click hands a conversation over."
          />
          <Field
            label="The AI takes over again after"
            inputMode="decimal"
            autoComplete="off"
            value={minutes ?? present}
            onChange={(event) => {
              setMinutes(event.target.value);
              saving.clear();
            }}
            error={isUnreadable ? "Write a number of minutes." : refused}
            hint="Minutes without a person writing, up to 7 days; 0 is never."
          />
        </div>
        {saving.error !== null && refused === null && <ErrorText>{saving.error}</ErrorText>}
        {isOwner && (
          <Button
            look="primary"
            type="submit"
            className="self-start"
            isBusy={saving.isBusy}
            disabled={!hasChanges}
          >
            Save who answers
          </Button>
        )}
      </fieldset>
    </form>
  );
}
