/** Adds a chat box. */

import { type FormEvent, useState } from "react";
import { ChannelKind } from "../../gen/inbox/messaging/v1/channel_pb";
import { withChannel } from "../../inbox/apply";
import { Button } from "../../ui/button";
import { Dialog } from "../../ui/dialog";
import { Field } from "../../ui/field";
import { ErrorText } from "../../ui/notice";
import { useSession } from "../session";
import { useAction } from "../use-action";

export function NewChatDialog({
  onClose,
  onCreated,
}: {
  onClose: () => void;
  onCreated: (channelId: string) => void;
}) {
  const { services, inbox } = useSession();
  const saving = useAction();
  // The same for every try of this dialog, so a lost answer does not make two chat boxes.
  const [requestId] = useState(() => crypto.randomUUID());

  function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const text = (name: string) => String(form.get(name) ?? "").trim();
    void saving.run(async () => {
      const { channel } = await services.channels.createChannel({
        requestId,
        kind: ChannelKind.WEB_CHAT,
        displayName: text("name"),
        settings: {
          case: "webChat",
          value: {
            greeting: text("greeting"),
            accentColor: text("color"),
            allowedOrigins: text("origins")
              .split(/[\s,]+/u)
              .filter(Boolean),
          },
        },
      });
      if (channel === undefined) throw new Error("the answer lacks the channel");
      inbox.store.change((state) => withChannel(state, channel));
      onCreated(channel.id);
    });
  }

  return (
    <Dialog title="Add a chat box" isOpen onClose={onClose}>
      <form className="flex flex-col gap-4" onSubmit={submit}>
        <Field
          label="Name"
          name="name"
          required
          maxLength={80}
          placeholder="Shop"
          hint="Customers see it at the top of the chat."
        />
        <Field
          label="Greeting"
          name="greeting"
          maxLength={280}
          placeholder="Hello! How can we help?"
        />
        <Field
          label="Sites that may show it"
          name="origins"
          placeholder="https://shop.example"
          hint="Separated by spaces. Your chat page works without."
        />
        <Field label="Colour" name="color" type="color" defaultValue="#2360e8" />
        {saving.error !== null && <ErrorText>{saving.error}</ErrorText>}
        <Button look="primary" type="submit" isBusy={saving.isBusy}>
          Add
        </Button>
      </form>
    </Dialog>
  );
}
