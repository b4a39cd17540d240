/** Makes a tag: its name and its colour. */

import { type FormEvent, useState } from "react";
import { TagColor } from "../../gen/inbox/conversation/v1/tag_pb";
import { withTag } from "../../inbox/merge";
import { Button } from "../../ui/button";
import { Dialog } from "../../ui/dialog";
import { Field } from "../../ui/field";
import { ErrorText } from "../../ui/notice";
import { useSession } from "../session";
import { colorOf, PALETTE } from "../tag-look";
import { useAction } from "../use-action";

export function NewTagDialog({
  onClose,
  onCreated,
}: {
  onClose: () => void;
  onCreated: (tagId: string) => void;
}) {
  const { services, inbox } = useSession();
  const saving = useAction();
  const [color, setColor] = useState(TagColor.BLUE);
  // The same for every try of this dialog, so a lost answer does not make two tags.
  const [requestId, setRequestId] = useState(() => crypto.randomUUID());

  function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const displayName = String(new FormData(event.currentTarget).get("name") ?? "").trim();
    void saving.run(async () => {
      const { tag } = await services.tags.createTag({ requestId, displayName, color });
      if (tag === undefined) throw new Error("the answer lacks the tag");
      inbox.store.change((state) => withTag(state, tag));
      onCreated(tag.id);
    });
  }
  /** What is asked for anew is a new request. */
  function changed() {
    saving.clear();
    setRequestId(crypto.randomUUID());
  }

  return (
    <Dialog title="New tag" isOpen onClose={onClose}>
      <form className="flex flex-col gap-4" onSubmit={submit}>
        <Field
          label="Name"
          name="name"
          required
          maxLength={40}
          placeholder="VIP"
          onChange={changed}
        />
        <fieldset className="grid grid-cols-5 justify-items-center gap-1 sm:grid-cols-9">
          <legend className="mb-1.5 text-sm font-medium">Colour</legend>
          {PALETTE.map((one) => (
            <label
              key={one.color}
              title={one.name}
              className="grid size-11 cursor-pointer place-items-center rounded-lg has-focus-visible:outline-2 has-focus-visible:outline-accent-text sm:size-9"
            >
              <input
                type="radio"
                name="color"
                className="sr-only"
                aria-label={one.name}
                checked={one.color === color}
                onChange={() => {
                  setColor(one.color);
                  changed();
                }}
              />
              <span
                className={`size-6 rounded-full ${one.color === color ? "ring-2 ring-ink ring-offset-2 ring-offset-raised" : ""}`}
                style={{ backgroundColor: colorOf(one.color) }}
              />
            </label>
          ))}
        </fieldset>
        {saving.error !== null && <ErrorText>{saving.error}</ErrorText>}
        <Button look="primary" type="submit" isBusy={saving.isBusy}>
          Add
        </Button>
      </form>
    </Dialog>
  );
}
