/** How the AI behaves: who answers, where answers come from, and their manner. */

import { type FormEvent, useCallback, useEffect, useState } from "react";
import { refusalOf } from "../../connection/refusal";
import type { AssistantSettings } from "../../gen/inbox/assistant/v1/assistant_pb";
import { AssistantService } from "../../gen/inbox/assistant/v1/assistant_service_pb";
import { Reason } from "../../gen/inbox/error/v1/reason_pb";
import { Button } from "../../ui/button";
import { ErrorText } from "../../ui/notice";
import { Section } from "../../ui/page";
import { Skeleton } from "../../ui/skeleton";
import { useToast } from "../../ui/toast";
import { LoadFailure } from "../load-failure";
import { useSession } from "../session";
import { useAction } from "../use-action";
import { useLoaded } from "../use-loaded";
import { useRequestId } from "../use-request-id";
import { AnsweringForm } from "./answering-form";
import { MannerFields, PaceFields, ProviderFields } from "./fields";
import { OvertakenBanner } from "./overtaken-banner";
import {
  type Edits,
  edited,
  type FieldName,
  formOf,
  isShown,
  overtaken,
  problemsOf,
  requestOf,
} from "./settings-form";

function useAssistantSettings() {
  const session = useSession();
  const load = useCallback(async () => {
    const { settings } = await session.services.of(AssistantService).getAssistantSettings({});
    if (settings === undefined) throw new Error("the answer lacks the settings");
    return settings;
  }, [session]);
  const loaded = useLoaded(load);
  const { value, set, again } = loaded;
  useEffect(
    () =>
      session.listen({
        frame: ({ body }) => {
          if (body.case !== "assistantSettingsChanged" || body.value.settings === undefined) return;
          if (body.value.settings.version > (value?.version ?? -1n)) set(body.value.settings);
        },
        snapshotNeeded: () => void again(),
      }),
    [session, value, set, again],
  );
  return loaded;
}

export default function AssistantSettingsSection() {
  const { isOwner } = useSession();
  const { value, error, set, again } = useAssistantSettings();
  return (
    <>
      {!isOwner && (
        <p className="rounded-lg bg-canvas px-3 py-2 text-sm text-muted">
          Owners change this. You see what the AI is told to do.
        </p>
      )}
      <AnsweringForm />
      {error !== null && <LoadFailure text={error} onAgain={() => void again()} />}
      {value === null && error === null && <Skeleton className="h-96 rounded-xl!" />}
      {value !== null && <SettingsEditor settings={value} onSaved={set} onReload={again} />}
    </>
  );
}

function SettingsEditor({
  settings,
  onSaved,
  onReload,
}: {
  settings: AssistantSettings;
  onSaved: (settings: AssistantSettings) => void;
  onReload: () => Promise<unknown>;
}) {
  const { isOwner, services } = useSession();
  const toast = useToast();
  const saving = useAction();
  const requestIdOf = useRequestId();
  const [edits, setEdits] = useState<Edits>({});
  const [base, setBase] = useState(settings);

  const form = { ...formOf(settings), ...edits };
  const hasChanges = Object.keys(edits).length > 0;
  const problems = problemsOf(edits);
  const lost = overtaken(edits, base, settings);

  function edit(news: Edits) {
    if (!hasChanges) setBase(settings);
    setEdits(edited(edits, news, settings));
    saving.clear();
  }
  function drop(names: readonly FieldName[]) {
    const kept = Object.entries(edits).filter(([name]) => !names.includes(name as FieldName));
    setEdits(Object.fromEntries(kept));
    setBase(settings);
    saving.clear();
  }

  async function save() {
    const change = requestOf(edits, settings);
    const requestId = requestIdOf([change]);
    try {
      const { settings: saved } = await services
        .of(AssistantService)
        .updateAssistantSettings({ requestId, ...change });
      if (saved) onSaved(saved);
      setEdits({});
    } catch (error) {
      if (refusalOf(error).reason === Reason.VERSION_CONFLICT) await onReload();
      throw error;
    }
    toast({ text: "Saved. The AI does so from its next answer on." });
  }
  function submit(event: FormEvent) {
    event.preventDefault();
    if (hasChanges && Object.keys(problems).length === 0) void saving.run(save);
  }

  const refused = saving.fieldError;
  const isRefusalShown = refused !== null && isShown(refused.field as FieldName, form.provider);
  const part = {
    form,
    settings,
    onEdit: edit,
    errorAt: (name: FieldName) => problems[name] ?? (refused?.field === name ? refused.text : null),
  };
  return (
    <form className="flex flex-col gap-8" onSubmit={submit} noValidate>
      {lost.length > 0 && (
        <OvertakenBanner
          fields={lost}
          onTakeTheirs={() => drop(lost)}
          onKeepMine={() => setBase(settings)}
        />
      )}
      <fieldset disabled={!isOwner} className="flex min-w-0 flex-col gap-8">
        <legend className="sr-only">How the AI behaves</legend>
        <Section title="Where answers come from">
          <ProviderFields {...part} />
        </Section>
        <Section title="Who the AI is">
          <MannerFields {...part} />
        </Section>
        <PaceFields {...part} />
      </fieldset>
      {saving.error !== null && !isRefusalShown && <ErrorText>{saving.error}</ErrorText>}
      {isOwner && (
        <div className="flex flex-wrap items-center gap-2">
          <Button look="primary" type="submit" isBusy={saving.isBusy} disabled={!hasChanges}>
            Save
          </Button>
          {hasChanges && (
            <Button look="quiet" onClick={() => drop(Object.keys(edits) as FieldName[])}>
              Discard changes
            </Button>
          )}
          <p role="status" className="text-xs text-muted">
            {hasChanges && "Not saved yet."}
          </p>
        </div>
      )}
    </form>
  );
}
