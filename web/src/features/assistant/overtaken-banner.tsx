/** A colleague saved other values for what is being edited here. */

import { Button } from "../../ui/button";
import { AlertIcon } from "../../ui/icons";
import { FIELD_LABELS, type FieldName } from "./settings-form";

const AND = new Intl.ListFormat("en", { type: "conjunction" });

export function OvertakenBanner({
  fields,
  onTakeTheirs,
  onKeepMine,
}: {
  fields: readonly FieldName[];
  onTakeTheirs: () => void;
  onKeepMine: () => void;
}) {
  const names = AND.format(fields.map((name) => `“${FIELD_LABELS[name]}”`));
  return (
    <div role="alert" className="flex flex-col gap-3 rounded-xl bg-warn-soft p-4 text-sm text-warn">
      <p className="flex gap-2.5 font-medium">
        <AlertIcon className="size-4.5" />
        Somebody else changed {names} meanwhile. Saving replaces what they chose.
      </p>
      <div className="flex flex-wrap gap-2">
        <Button onClick={onKeepMine}>Go on with mine</Button>
        <Button onClick={onTakeTheirs}>Take theirs</Button>
      </div>
    </div>
  );
}
