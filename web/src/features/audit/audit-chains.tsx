/** One chain per service, and what a look at it gave. */

import { Button } from "../../ui/button";
import { AlertIcon, CheckIcon } from "../../ui/icons";
import { Rows, Section } from "../../ui/page";
import { Spinner } from "../../ui/spinner";
import { BREAK_WORDS, type ChainState, isAgainstMemory, summaryOf } from "./chains";
import { DOMAIN_NAMES, DOMAINS, type Domain } from "./sources";
import type { Chains } from "./use-audit";

export function AuditChains({
  chains,
  onVerify,
  onForget,
}: {
  chains: Chains;
  onVerify: (domain: Domain) => void;
  /** What this browser saw of a chain before. */
  onForget: (domain: Domain) => void;
}) {
  return (
    <Section
      title="Chains"
      hint="Every entry seals the one before it, so one that is rewritten shows. Each chain is verified when you come here, through what this browser saw of it before."
    >
      <Rows>
        {DOMAINS.map((domain) => (
          <li
            key={domain}
            className="flex min-h-14 flex-wrap items-center justify-between gap-x-3 gap-y-1 px-4 py-2"
          >
            <span className="text-sm font-medium">{DOMAIN_NAMES[domain]}</span>
            <ChainMark
              chain={chains[domain] ?? { kind: "checking", count: 0n }}
              onVerify={() => onVerify(domain)}
              onForget={() => onForget(domain)}
            />
          </li>
        ))}
      </Rows>
    </Section>
  );
}

const SUMMARIES = {
  verified: { look: "text-good", text: "Every chain is as it was written." },
  checking: { look: "text-muted", text: "The chains are not verified to their ends yet." },
  unknown: { look: "text-warn", text: "Not every chain could be verified; see below." },
  broken: { look: "text-danger", text: "A chain is broken; see below." },
};

/** What people want to know before they read on. */
export function ChainSummary({ chains }: { chains: Chains }) {
  const summary = summaryOf(DOMAINS.map((domain) => chains[domain]));
  const { look, text } = SUMMARIES[summary];
  const Icon = summary === "verified" ? CheckIcon : AlertIcon;
  return (
    <p role="status" className={`flex items-center gap-2 text-sm font-medium ${look}`}>
      <Icon className="size-4" /> {text}
    </p>
  );
}

function ChainMark({
  chain,
  onVerify,
  onForget,
}: {
  chain: ChainState;
  onVerify: () => void;
  onForget: () => void;
}) {
  const count = chain.count.toLocaleString("en-US");
  switch (chain.kind) {
    case "checking":
      return (
        <span className="flex items-center gap-2 text-sm text-muted">
          <Spinner className="size-4" /> Checking
          {chain.count > 0n && `: ${count} so far`}
        </span>
      );
    case "verified":
      return (
        <span className="flex items-center gap-1.5 rounded-full bg-good-soft px-2.5 py-0.5 text-xs font-medium text-good">
          <CheckIcon className="size-3.5" /> Verified · {count}{" "}
          {chain.count === 1n ? "entry" : "entries"}
        </span>
      );
    case "paused":
      return (
        <span className="flex items-center gap-2 text-sm text-muted">
          {count} verified so far
          <Button onClick={onVerify}>Go on</Button>
        </span>
      );
    case "broken":
      return (
        <span className="flex min-w-0 flex-wrap items-center gap-2 text-sm">
          <span role="alert" className="flex gap-2 font-medium text-danger">
            <AlertIcon className="size-4.5" />
            <span>
              Broken at entry {chain.position.toLocaleString("en-US")}:{" "}
              {BREAK_WORDS[chain.breakKind]}.
            </span>
          </span>
          {isAgainstMemory(chain.breakKind) && (
            <>
              <span className="text-muted">So it is after a backup was put back.</span>
              <Button onClick={onForget}>Forget what this browser saw</Button>
            </>
          )}
        </span>
      );
    case "unknown":
      return (
        <span className="flex min-w-0 flex-wrap items-center gap-2 text-sm text-danger">
          {chain.text}
          <Button onClick={onVerify}>Try again</Button>
        </span>
      );
    default:
      return chain satisfies never;
  }
}
