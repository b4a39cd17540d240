/** The question before a contact is erased: what goes, what stays, and a word typed by hand. */

import { type FormEvent, useState } from "react";
import { Button } from "../../ui/button";
import { Dialog } from "../../ui/dialog";
import { Field } from "../../ui/field";
import { ErrorText } from "../../ui/notice";
import { useSession } from "../session";
import { useAction } from "../use-action";
import { useContact } from "./use-contact";

export default function EraseDialog({ onClose }: { onClose: () => void }) {
  const { erasures } = useSession();
  const { contact } = useContact();
  const erasing = useAction();
  // The same for every try of this dialog: a lost answer does not erase whoever writes anew meanwhile.
  const [requestId] = useState(() => crypto.randomUUID());
  const [typed, setTyped] = useState("");
  const confirmation = contact.displayName.trim() || "erase";

  function submit(event: FormEvent) {
    event.preventDefault();
    void erasing.run(() => erasures.begin(contact.id, requestId));
  }

  return (
    <Dialog title="Erase this contact" isOpen onClose={onClose}>
      <form className="flex flex-col gap-4 text-sm" onSubmit={submit}>
        <div className="flex flex-col gap-1">
          <h3 className="font-semibold">What goes</h3>
          <ul className="list-disc pl-5 text-muted marker:text-faint">
            <li>Name, profile, labels, details, consents and notes</li>
            <li>All conversations with all messages, in every folder and on every channel</li>
            <li>What the search, the AI and the live updates kept of them</li>
          </ul>
        </div>
        <div className="flex flex-col gap-1">
          <h3 className="font-semibold">What stays</h3>
          <ul className="list-disc pl-5 text-muted marker:text-faint">
            <li>In the audit, that something was changed and by whom, without the words</li>
            <li>What the platform and the customer’s own device hold, and older backups</li>
          </ul>
        </div>
        <p className="text-muted">
          If they write again, a new conversation begins. There is no way back.
        </p>
        <Field
          label={`Type “${confirmation}” to confirm`}
          autoComplete="off"
          spellCheck={false}
          value={typed}
          onChange={(event) => setTyped(event.target.value)}
        />
        {erasing.error !== null && <ErrorText>{erasing.error}</ErrorText>}
        <div className="flex flex-wrap justify-end gap-2">
          <Button look="quiet" onClick={onClose}>
            Cancel
          </Button>
          <Button
            look="danger"
            type="submit"
            isBusy={erasing.isBusy}
            disabled={typed.trim() !== confirmation}
          >
            Erase for good
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
