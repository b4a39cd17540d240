/** The member's own settings, and for owners the workspace's members and keys. */

import { Page } from "../../ui/page";
import { Segments } from "../../ui/segments";
import { useSession } from "../session";
import { Account } from "./account";
import { ApiKeys } from "./api-keys";
import { Members } from "./members";

export type SettingsSection = "account" | "members" | "keys";

export default function SettingsPage({
  section,
  onSection,
  onBack,
}: {
  section: SettingsSection;
  onSection: (section: SettingsSection) => void;
  onBack: () => void;
}) {
  const { isOwner } = useSession();
  const options: { value: SettingsSection; text: string }[] = [
    { value: "account", text: "Account" },
    { value: "members", text: "Members" },
    ...(isOwner ? [{ value: "keys" as const, text: "API keys" }] : []),
  ];
  return (
    <Page title="Settings" onBack={onBack}>
      <Segments
        label="Section"
        className="max-w-96"
        value={section}
        onChange={onSection}
        options={options}
      />
      {section === "account" && <Account />}
      {section === "members" && <Members />}
      {section === "keys" && isOwner && <ApiKeys />}
    </Page>
  );
}
