/** What the contact said about being contacted: last about each purpose and kind of channel. */

import { type FormEvent, useState } from "react";
import { type Consent, ConsentState } from "../../gen/inbox/conversation/v1/contact_pb";
import { ChannelKind } from "../../gen/inbox/messaging/v1/channel_pb";
import { Button } from "../../ui/button";
import { Choice, Field } from "../../ui/field";
import { ErrorText } from "../../ui/notice";
import { useToday } from "../../ui/use-now";
import { lookOf } from "../channel-kind";
import { useSession, useTimeZone } from "../session";
import { useAction } from "../use-action";
import { useRequestId } from "../use-request-id";
import { timeWords } from "./author-words";
import { Nothing, Section, TextButton } from "./section";
import { useContact } from "./use-contact";

const KINDS = [
  ChannelKind.WHATSAPP,
  ChannelKind.MESSENGER,
  ChannelKind.INSTAGRAM,
  ChannelKind.TELEGRAM,
  ChannelKind.WEB_CHAT,
];

export function ConsentSection() {
  const { canWrite } = useSession();
  const { profile } = useContact();
  const [isRecording, setIsRecording] = useState(false);
  return (
    <Section
      title="Consent"
      action={
        canWrite &&
        !isRecording && <TextButton label="Record consent" onClick={() => setIsRecording(true)} />
      }
    >
      {profile.consents.length === 0 && !isRecording && (
        <Nothing>Nothing is known about what they agreed to.</Nothing>
      )}
      {profile.consents.length > 0 && (
        <ul aria-label="Consents" className="flex flex-col gap-2">
          {profile.consents.map((consent) => (
            <li key={`${consent.purpose} ${consent.channelKind}`}>
              <ConsentLine consent={consent} />
            </li>
          ))}
        </ul>
      )}
      {isRecording && <ConsentForm onDone={() => setIsRecording(false)} />}
    </Section>
  );
}

function channelWords(kind: ChannelKind): string {
  return kind === ChannelKind.UNSPECIFIED ? "all channels" : lookOf(kind).name;
}

function ConsentLine({ consent }: { consent: Consent }) {
  const timeZone = useTimeZone();
  const today = useToday(timeZone);
  const isGranted = consent.state === ConsentState.GRANTED;
  return (
    <div className="flex items-start justify-between gap-3 text-sm">
      <div className="min-w-0">
        <p className="break-words">
          {consent.purpose}{" "}
          <span className="text-muted">on {channelWords(consent.channelKind)}</span>
        </p>
        <p className="text-xs break-words text-muted">
          {[consent.source, timeWords(consent.consentTime, today, timeZone)]
            .filter(Boolean)
            .join(" · ")}
        </p>
      </div>
      <span
        className={`shrink-0 rounded-full px-2 py-0.5 text-xs font-medium ${
          isGranted ? "bg-good-soft text-good" : "bg-danger-soft text-danger"
        }`}
      >
        {isGranted ? "Agreed" : "Withdrawn"}
      </span>
    </div>
  );
}

function ConsentForm({ onDone }: { onDone: () => void }) {
  const { file } = useContact();
  const saving = useAction();
  const requestIdFor = useRequestId();

  async function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const read = (name: string) => String(form.get(name) ?? "").trim();
    const consent = {
      purpose: read("purpose").toLocaleLowerCase().replaceAll(/\s+/gu, "-"),
      channelKind: Number(read("channel")),
      state: Number(read("state")),
      source: read("source"),
    };
    if (await saving.run(() => file.recordConsent(consent, requestIdFor([consent])))) onDone();
  }

  const errorOf = (name: string) =>
    saving.fieldError?.field === name ? saving.fieldError.text : null;
  return (
    <form className="flex flex-col gap-3" onSubmit={(event) => void submit(event)}>
      <Field
        label="Purpose"
        name="purpose"
        required
        maxLength={40}
        placeholder="marketing"
        error={errorOf("purpose")}
      />
      <Choice
        label="Channel"
        name="channel"
        options={[ChannelKind.UNSPECIFIED, ...KINDS].map((kind) => ({
          value: String(kind),
          text: kind === ChannelKind.UNSPECIFIED ? "All channels" : lookOf(kind).name,
        }))}
      />
      <Choice
        label="What they said"
        name="state"
        options={[
          { value: String(ConsentState.GRANTED), text: "They agreed" },
          { value: String(ConsentState.WITHDRAWN), text: "They do not agree" },
        ]}
      />
      <Field
        label="How it is known"
        name="source"
        required
        maxLength={200}
        placeholder="Form on the website"
        error={errorOf("source")}
      />
      {saving.error !== null && saving.fieldError === null && <ErrorText>{saving.error}</ErrorText>}
      <div className="flex gap-2">
        <Button look="primary" type="submit" isBusy={saving.isBusy}>
          Save
        </Button>
        <Button look="quiet" onClick={onDone}>
          Cancel
        </Button>
      </div>
    </form>
  );
}
