/** Where a contact stood that is being erased, or was: how far it has come, for whoever asked for it. */

import { type Erasure, ErasureState } from "../../gen/inbox/conversation/v1/privacy_service_pb";
import { AlertIcon, CheckIcon } from "../../ui/icons";
import { EmptyState } from "../../ui/notice";
import { Spinner } from "../../ui/spinner";

/** In the order in which they are done. */
const STEPS: Readonly<Record<string, string>> = {
  threads: "What was said",
  inbox: "Contact and conversations",
  assistant: "What the AI collected",
  stream: "What was told of them",
};

export function ErasedContact({ erasure }: { erasure: Erasure | undefined }) {
  const isDone = erasure?.state !== ErasureState.RUNNING;
  return (
    <div className="flex flex-col gap-2 pb-6">
      <div role="status">
        <EmptyState
          icon={isDone ? <CheckIcon className="size-7" /> : <Spinner />}
          title={isDone ? "This contact was erased" : "The contact is being erased"}
        >
          {isDone
            ? "Nothing that was said with them is kept here."
            : "It goes on by itself, also when this page is closed."}
        </EmptyState>
      </div>
      {erasure !== undefined && <Steps erasure={erasure} />}
    </div>
  );
}

function Steps({ erasure }: { erasure: Erasure }) {
  return (
    <>
      <ul aria-label="Steps" className="mx-5 flex flex-col gap-2 rounded-xl border border-line p-4">
        {erasure.steps.map(({ name, doneTime }) => (
          <li key={name} className="flex items-center gap-2.5 text-sm">
            <span
              className={`grid size-5 place-items-center rounded-full ${doneTime === undefined ? "bg-sunken text-faint" : "bg-good-soft text-good"}`}
            >
              {doneTime !== undefined && <CheckIcon className="size-3.5" />}
            </span>
            <span className={doneTime === undefined ? "text-muted" : ""}>
              {STEPS[name] ?? name}
            </span>
            <span className="sr-only">{doneTime === undefined ? "not yet" : "done"}</span>
          </li>
        ))}
      </ul>
      {erasure.state === ErasureState.RUNNING && erasure.failureCount > 0n && (
        <p className="mx-5 flex items-start gap-2 text-sm text-warn">
          <AlertIcon className="mt-0.5 size-4" />A part of Inbox is away right now; the step is
          tried again by itself.
        </p>
      )}
    </>
  );
}
