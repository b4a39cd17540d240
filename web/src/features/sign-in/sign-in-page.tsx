/** Signing in by e-mail address and password, or by a one-time link. */

import { type FormEvent, useEffect, useRef, useState } from "react";
import { type SignInCredential, type SignInResult, signIn } from "../../connection/auth";
import { Button } from "../../ui/button";
import { Field } from "../../ui/field";
import { ErrorText } from "../../ui/notice";
import { Spinner } from "../../ui/spinner";
import { Card } from "./card";

const SAYINGS: Record<Exclude<SignInResult, "signed-in">, { password: string; link: string }> = {
  refused: {
    password: "This e-mail address and password do not match.",
    link: "This link was used already or is too old. Ask for a new one, or sign in with your password.",
  },
  "rate-limited": {
    password: "Too many tries. Wait a minute, then try again.",
    link: "Too many tries. Wait a minute, then try again.",
  },
  unavailable: {
    password: "Inbox cannot be reached right now. Try again in a moment.",
    link: "Inbox cannot be reached right now. Try again in a moment.",
  },
};

export function SignInPage({ link, onSignedIn }: { link: string | null; onSignedIn: () => void }) {
  const [usesLink, setUsesLink] = useState(link !== null);
  const [isBusy, setIsBusy] = useState(false);
  const [failure, setFailure] = useState<Exclude<SignInResult, "signed-in"> | null>(null);

  async function enter(credential: SignInCredential) {
    setIsBusy(true);
    setFailure(null);
    const result = await signIn(credential);
    if (result === "signed-in") {
      onSignedIn();
      return;
    }
    setFailure(result);
    setIsBusy(false);
  }

  const hasTried = useRef(false);
  useEffect(() => {
    // Good once: a second try with the same link would be refused and hide the success of the first.
    if (link === null || hasTried.current) return;
    hasTried.current = true;
    void enter({ link });
  });

  function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    void enter({ email: String(form.get("email")).trim(), password: String(form.get("password")) });
  }

  if (usesLink && link !== null) {
    return (
      <Card title={failure === null ? "Signing you in" : "This link did not work"}>
        {failure === null ? (
          <p role="status" className="flex items-center gap-3 text-muted">
            <Spinner /> One moment…
          </p>
        ) : (
          <>
            <ErrorText>{SAYINGS[failure].link}</ErrorText>
            {failure !== "refused" && (
              <Button look="primary" className="min-h-11" onClick={() => void enter({ link })}>
                Try again
              </Button>
            )}
            <Button className="min-h-11" onClick={() => setUsesLink(false)}>
              Sign in with a password
            </Button>
          </>
        )}
      </Card>
    );
  }
  return (
    <Card title="Sign in">
      <form className="flex flex-col gap-4" onSubmit={submit}>
        <Field
          label="E-mail address"
          name="email"
          type="email"
          autoComplete="username"
          required
          autoFocus
        />
        <Field
          label="Password"
          name="password"
          type="password"
          autoComplete="current-password"
          required
        />
        {failure !== null && <ErrorText>{SAYINGS[failure].password}</ErrorText>}
        <Button look="primary" type="submit" className="min-h-11" isBusy={isBusy}>
          Sign in
        </Button>
      </form>
    </Card>
  );
}
