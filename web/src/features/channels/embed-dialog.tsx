/** How a chat box comes onto a site. */

import type { Channel } from "../../gen/inbox/messaging/v1/channel_pb";
import { Button } from "../../ui/button";
import { CopyField } from "../../ui/copy-field";
import { Dialog } from "../../ui/dialog";

export function EmbedDialog({ channel, onClose }: { channel: Channel; onClose: () => void }) {
  const origin = window.location.origin;
  const page = `${origin}/chat/${channel.id}`;
  const script = `<script src="${origin}/embed.js" data-channel="${channel.id}" async></script>`;
  return (
    <Dialog title={channel.displayName} isOpen onClose={onClose}>
      <div className="flex flex-col gap-5">
        <CopyField label="Before </body> of your pages" text={script} />
        <CopyField label="Or as a page of its own" text={page} />
        <Button onClick={() => window.open(page, "_blank", "noopener")}>Open the chat page</Button>
      </div>
    </Dialog>
  );
}
