/** Accepting an invitation: choose a name and a password, and be in. */

import { type FormEvent, useState } from "react";
import { signIn } from "../../connection/auth";
import { type Refusal, refusalOf } from "../../connection/refusal";
import type { Services } from "../../connection/rpc";
import { Reason } from "../../gen/inbox/error/v1/reason_pb";
import { Button } from "../../ui/button";
import { Field } from "../../ui/field";
import { ErrorText } from "../../ui/notice";
import { Card } from "./card";

const SHORTEST_PASSWORD = 10;

function saying(refusal: Refusal): string {
  switch (refusal.reason) {
    case Reason.LINK_USED_OR_EXPIRED:
      return "This invitation was used already or is too old. Ask whoever invited you for a new one.";
    case Reason.PASSWORD_TOO_WEAK:
      return `Choose a password of at least ${SHORTEST_PASSWORD} characters that is hard to guess.`;
    default:
      return refusal.isTransient
        ? "Inbox cannot be reached right now. Try again in a moment."
        : refusal.message;
  }
}

export function InvitePage({
  token,
  services,
  onSignedIn,
}: {
  token: string | null;
  services: Services;
  onSignedIn: () => void;
}) {
  const [isBusy, setIsBusy] = useState(false);
  const [failure, setFailure] = useState<string | null>(null);

  async function accept(displayName: string, password: string) {
    setIsBusy(true);
    setFailure(null);
    try {
      const { member } = await services.identity.acceptInvite({
        inviteToken: token ?? "",
        password,
        displayName,
      });
      const result = await signIn({ email: member?.email ?? "", password });
      // Accepted, but not signed in: the sign-in page takes it from here.
      if (result === "signed-in") onSignedIn();
      else window.location.replace("/sign-in");
    } catch (error) {
      setFailure(saying(refusalOf(error)));
      setIsBusy(false);
    }
  }

  function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    void accept(String(form.get("name")).trim(), String(form.get("password")));
  }

  if (token === null) {
    return (
      <Card title="Invitation">
        <ErrorText>This address is not complete. Open the whole link you were given.</ErrorText>
      </Card>
    );
  }
  return (
    <Card title="Join the inbox">
      <form className="flex flex-col gap-4" onSubmit={submit}>
        <Field
          label="Your name"
          name="name"
          autoComplete="name"
          maxLength={80}
          hint="What colleagues and customers see. Empty keeps the one in the invitation."
        />
        <Field
          label="Choose a password"
          name="password"
          type="password"
          autoComplete="new-password"
          minLength={SHORTEST_PASSWORD}
          required
          hint={`At least ${SHORTEST_PASSWORD} characters.`}
        />
        {failure !== null && <ErrorText>{failure}</ErrorText>}
        <Button look="primary" type="submit" className="min-h-11" isBusy={isBusy}>
          Join
        </Button>
      </form>
    </Card>
  );
}
