/** Connects a channel again with fresh credentials. */

import type { FormEvent } from "react";
import type { Channel } from "../../gen/inbox/messaging/v1/channel_pb";
import { withChannel } from "../../inbox/apply";
import { Button } from "../../ui/button";
import { Dialog } from "../../ui/dialog";
import { Field } from "../../ui/field";
import { ErrorText } from "../../ui/notice";
import { useToast } from "../../ui/toast";
import { useSession } from "../session";
import { useAction } from "../use-action";

export function ReconnectDialog({ channel, onClose }: { channel: Channel; onClose: () => void }) {
  const { services, inbox } = useSession();
  const toast = useToast();
  const saving = useAction();

  function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    void saving.run(async () => {
      const { channel: changed } = await services.channels.updateChannel({
        channelId: channel.id,
        credentials: {
          accessToken: String(form.get("token") ?? "").trim(),
          webhookSecret: String(form.get("secret") ?? "").trim(),
        },
      });
      if (changed) inbox.store.change((state) => withChannel(state, changed));
      toast({ text: `${channel.displayName} is connected. Held replies go out now.` });
      onClose();
    });
  }

  return (
    <Dialog title={`Connect ${channel.displayName}`} isOpen onClose={onClose}>
      <form className="flex flex-col gap-4" onSubmit={submit}>
        <Field
          label="Access token"
          name="token"
          type="password"
          autoComplete="off"
          required
          hint="From the platform’s settings. It is stored encrypted."
        />
        <Field
          label="Webhook secret"
          name="secret"
          type="password"
          autoComplete="off"
          hint="Empty keeps the present one."
        />
        {saving.error !== null && <ErrorText>{saving.error}</ErrorText>}
        <Button look="primary" type="submit" isBusy={saving.isBusy}>
          Connect
        </Button>
      </form>
    </Dialog>
  );
}
