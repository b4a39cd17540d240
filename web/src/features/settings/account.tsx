/** Who is signed in here, and their password. */

import type { FormEvent } from "react";
import { Avatar } from "../../ui/avatar";
import { Button } from "../../ui/button";
import { Field } from "../../ui/field";
import { ErrorText } from "../../ui/notice";
import { Section } from "../../ui/page";
import { useToast } from "../../ui/toast";
import { useSession } from "../session";
import { useAction } from "../use-action";
import { ROLE_NAMES } from "./roles";

export default function Account() {
  const { member, role, services } = useSession();
  const toast = useToast();
  const saving = useAction();

  function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const element = event.currentTarget;
    const form = new FormData(element);
    void saving
      .run(() =>
        services.identity.changePassword({
          currentPassword: String(form.get("current") ?? ""),
          newPassword: String(form.get("new") ?? ""),
        }),
      )
      .then((isSaved) => {
        if (!isSaved) return;
        element.reset();
        toast({ text: "Password changed. Your other sessions have ended." });
      });
  }

  return (
    <>
      <Section title="You">
        <div className="flex items-center gap-4 rounded-xl border border-line p-4">
          <Avatar name={member.displayName} colorKey={member.id} size="large" />
          <div className="min-w-0">
            <p className="truncate font-semibold">{member.displayName}</p>
            <p className="truncate text-sm text-muted">
              {member.email} · {ROLE_NAMES[role]}
            </p>
          </div>
        </div>
      </Section>
      <Section title="Password" hint="Changing it ends your sessions on other devices.">
        <form className="flex max-w-96 flex-col gap-4" onSubmit={submit}>
          <Field
            label="Present password"
            name="current"
            type="password"
            autoComplete="current-password"
            hint="Leave empty if none was set yet."
          />
          <Field
            label="New password"
            name="new"
            type="password"
            autoComplete="new-password"
            required
            minLength={10}
            hint="At least 10 characters."
          />
          {saving.error !== null && <ErrorText>{saving.error}</ErrorText>}
          <Button look="primary" type="submit" className="self-start" isBusy={saving.isBusy}>
            Change password
          </Button>
        </form>
      </Section>
    </>
  );
}
