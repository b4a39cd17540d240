/** Signing in and out, and tickets for the live line: the gateway's own addresses, which set the cookie. */

import { CLIENT_HEADER } from "./rpc";
import { CredentialRefused } from "./socket";

const DEADLINE_MILLIS = 10_000;

export type SignInResult = "signed-in" | "refused" | "rate-limited" | "unavailable";

export type SignInCredential = { email: string; password: string } | { link: string };

async function post(path: string, body: object): Promise<Response> {
  return fetch(path, {
    method: "POST",
    credentials: "same-origin",
    headers: { "content-type": "application/json", ...CLIENT_HEADER },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(DEADLINE_MILLIS),
  });
}

export async function signIn(credential: SignInCredential): Promise<SignInResult> {
  try {
    const response = await post("/auth/sign-in", credential);
    if (response.ok) return "signed-in";
    if (response.status === 429) return "rate-limited";
    return response.status < 500 ? "refused" : "unavailable";
  } catch {
    return "unavailable";
  }
}

/** Throws when the session may still be open. */
export async function signOut(): Promise<void> {
  const response = await post("/auth/sign-out", {});
  if (!response.ok && response.status !== 401) throw new Error("the session is still open");
}

export async function fetchTicket(): Promise<string> {
  const response = await post("/auth/ticket", {});
  if (response.status === 401 || response.status === 403) throw new CredentialRefused();
  if (!response.ok) throw new Error(`no ticket: ${response.status}`);
  const { ticket } = (await response.json()) as { ticket: string };
  return ticket;
}
