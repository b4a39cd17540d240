/** Name, e-mail address, phone number and language; changed in one go, and refused when somebody else was faster. */

import { type FormEvent, useState } from "react";
import { Button } from "../../ui/button";
import { Field } from "../../ui/field";
import { ErrorText } from "../../ui/notice";
import { useSession } from "../session";
import { useAction } from "../use-action";
import { useRequestId } from "../use-request-id";
import { Nothing, Section, TextButton } from "./section";
import { useContact } from "./use-contact";

const FIELDS = [
  { name: "displayName", field: "display_name", label: "Name", maxLength: 80 },
  { name: "email", field: "email", label: "E-mail address", maxLength: 254, inputMode: "email" },
  { name: "phone", field: "phone", label: "Phone number", maxLength: 30, inputMode: "tel" },
  {
    name: "language",
    field: "language",
    label: "Language",
    maxLength: 35,
    hint: "Such as es-AR or en",
  },
] as const;

export function ProfileSection() {
  const { canWrite } = useSession();
  const { profile } = useContact();
  const [isEditing, setIsEditing] = useState(false);
  const { email, phone, language } = profile;
  if (isEditing) {
    return (
      <Section title="Profile">
        <ProfileForm onDone={() => setIsEditing(false)} />
      </Section>
    );
  }
  return (
    <Section
      title="Profile"
      action={canWrite && <TextButton label="Edit" onClick={() => setIsEditing(true)} />}
    >
      {email === "" && phone === "" && language === "" ? (
        <Nothing>No e-mail address, phone number or language yet.</Nothing>
      ) : (
        <dl className="grid grid-cols-[auto_1fr] gap-x-4 gap-y-1.5 text-sm">
          {email !== "" && (
            <Line name="E-mail">
              <Link href={`mailto:${email}`}>{email}</Link>
            </Line>
          )}
          {phone !== "" && (
            <Line name="Phone">
              <Link href={`tel:${phone}`}>{phone}</Link>
            </Line>
          )}
          {language !== "" && <Line name="Language">{languageName(language)}</Line>}
        </dl>
      )}
    </Section>
  );
}

function Line({ name, children }: { name: string; children: React.ReactNode }) {
  return (
    <div className="contents">
      <dt className="text-muted">{name}</dt>
      <dd className="min-w-0 break-words [overflow-wrap:anywhere]">{children}</dd>
    </div>
  );
}

function Link({ href, children }: { href: string; children: string }) {
  return (
    <a href={href} className="text-accent-text underline-offset-2 hover:underline">
      {children}
    </a>
  );
}

/** One that the browser does not know is shown as it is written. */
function languageName(code: string): string {
  try {
    return new Intl.DisplayNames("en", { type: "language" }).of(code) ?? code;
  } catch {
    return code;
  }
}

function ProfileForm({ onDone }: { onDone: () => void }) {
  const { contact, profile, file } = useContact();
  const saving = useAction();
  const requestIdFor = useRequestId();
  // What is changed is what was seen when it began, whatever comes meanwhile.
  const [seen] = useState({
    displayName: contact.displayName,
    email: profile.email,
    phone: profile.phone,
    language: profile.language,
    version: contact.version,
  });

  async function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const read = (name: string) => String(form.get(name) ?? "").trim();
    const change: Record<string, string> = {};
    for (const { name } of FIELDS) if (read(name) !== seen[name]) change[name] = read(name);
    const isDone =
      Object.keys(change).length === 0 ||
      (await saving.run(() =>
        file.update(change, seen.version, requestIdFor([change, seen.version])),
      ));
    if (isDone) onDone();
  }

  return (
    <form className="flex flex-col gap-3" onSubmit={(event) => void submit(event)}>
      {FIELDS.map(({ name, field, ...rest }) => (
        <Field
          key={name}
          name={name}
          defaultValue={seen[name]}
          error={saving.fieldError?.field === field ? saving.fieldError.text : null}
          {...rest}
        />
      ))}
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
