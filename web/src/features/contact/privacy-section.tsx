/** What a customer may ask for: everything that is kept of them, and that nothing is. For owners. */

import { lazy, Suspense, useState } from "react";
import { PrivacyService } from "../../gen/inbox/conversation/v1/privacy_service_pb";
import { exportContact, exportFileName } from "../../inbox/contact-export";
import { Button } from "../../ui/button";
import { ErrorText } from "../../ui/notice";
import { saveFile } from "../../ui/save-file";
import { dayKey } from "../../ui/time";
import { OwnersOnlyText } from "../owners-only";
import { useSession, useTimeZone } from "../session";
import { useAction } from "../use-action";
import { Section } from "./section";
import { useContact } from "./use-contact";

const EraseDialog = lazy(() => import("./erase-dialog"));

/** The largest page there is: a file of many records is asked for by few calls. */
const RECORDS_ON_A_PAGE = 200;

export function PrivacySection() {
  const { isOwner } = useSession();
  return (
    <Section title="Privacy">
      {isOwner ? (
        <OwnersActions />
      ) : (
        <p className="text-sm text-muted">
          <OwnersOnlyText what="export everything that is kept of a contact, or erase it" />
        </p>
      )}
    </Section>
  );
}

function OwnersActions() {
  const { services, inbox } = useSession();
  const { contact } = useContact();
  const timeZone = useTimeZone();
  const exporting = useAction();
  const [records, setRecords] = useState(0);
  const [isErasing, setIsErasing] = useState(false);

  function exportAll() {
    setRecords(0);
    const privacy = services.of(PrivacyService);
    const ask = (pageToken: string) =>
      privacy.exportContact({ contactId: contact.id, pageSize: RECORDS_ON_A_PAGE, pageToken });
    void exporting.run(async () => {
      const parts = await exportContact(ask, setRecords);
      const day = dayKey(new Date(inbox.clock.now()), timeZone);
      saveFile(parts, "application/json", exportFileName(contact.displayName, contact.id, day));
    });
  }

  return (
    <>
      <p className="text-sm text-muted">
        Everything that is kept of this contact, for whoever asks for it.
      </p>
      <div className="flex flex-wrap gap-2">
        <Button isBusy={exporting.isBusy} onClick={exportAll}>
          Export as JSON
        </Button>
        <Button className="text-danger!" onClick={() => setIsErasing(true)}>
          Erase…
        </Button>
      </div>
      <p role="status" className="text-xs text-muted empty:hidden">
        {exporting.isBusy && records > 0 && `${records.toLocaleString()} records so far`}
      </p>
      {exporting.error !== null && <ErrorText>{exporting.error}</ErrorText>}
      {isErasing && (
        <Suspense>
          <EraseDialog onClose={() => setIsErasing(false)} />
        </Suspense>
      )}
    </>
  );
}
