/** Every channel with its state, and what can be done about it. */

import { useMemo, useState } from "react";
import { type Channel, ChannelKind, ChannelState } from "../../gen/inbox/messaging/v1/channel_pb";
import { withChannel } from "../../inbox/apply";
import { Button } from "../../ui/button";
import { PlugIcon, PlusIcon } from "../../ui/icons";
import { EmptyState } from "../../ui/notice";
import { Page, Rows, Section } from "../../ui/page";
import { fullTime, toDate } from "../../ui/time";
import { useToast } from "../../ui/toast";
import { ChannelTile, lookOf } from "../channel-kind";
import { sayError } from "../say-error";
import { useInbox, useSession, useTimeZone } from "../session";
import { useAction } from "../use-action";
import { EmbedDialog } from "./embed-dialog";
import { NewChatDialog } from "./new-chat-dialog";
import { ReconnectDialog } from "./reconnect-dialog";

type Shown = { dialog: "embed" | "reconnect"; channelId: string } | { dialog: "new" } | null;

export default function ChannelsPage({ onBack }: { onBack: () => void }) {
  const { isOwner } = useSession();
  const byId = useInbox((snapshot) => snapshot.state.channels);
  const isLoaded = useInbox((snapshot) => snapshot.isLoaded);
  const [shown, setShown] = useState<Shown>(null);
  const channels = useMemo(
    () =>
      [...byId.values()].sort((a, b) =>
        (a.createTime?.seconds ?? 0n) < (b.createTime?.seconds ?? 0n) ? -1 : 1,
      ),
    [byId],
  );
  const chosen = shown !== null && "channelId" in shown ? byId.get(shown.channelId) : undefined;
  const close = () => setShown(null);
  return (
    <Page title="Channels" onBack={onBack}>
      <Section
        title="Where customers reach you"
        hint="A broken channel loses nothing: what customers write meanwhile is kept."
        action={
          isOwner && (
            <Button look="primary" onClick={() => setShown({ dialog: "new" })}>
              <PlusIcon className="size-4" /> Add a chat box
            </Button>
          )
        }
      >
        {isLoaded && channels.length === 0 ? (
          <EmptyState icon={<PlugIcon className="size-7" />} title="No channel yet">
            Add a chat box to your site to hear from customers.
          </EmptyState>
        ) : (
          <Rows>
            {channels.map((channel) => (
              <ChannelRow
                key={channel.id}
                channel={channel}
                onEmbed={() => setShown({ dialog: "embed", channelId: channel.id })}
                onReconnect={() => setShown({ dialog: "reconnect", channelId: channel.id })}
              />
            ))}
          </Rows>
        )}
      </Section>
      {chosen && shown?.dialog === "embed" && <EmbedDialog channel={chosen} onClose={close} />}
      {chosen && shown?.dialog === "reconnect" && (
        <ReconnectDialog channel={chosen} onClose={close} />
      )}
      {shown?.dialog === "new" && (
        <NewChatDialog
          onClose={close}
          onCreated={(channelId) => setShown({ dialog: "embed", channelId })}
        />
      )}
    </Page>
  );
}

function StateBadge({ state }: { state: ChannelState }) {
  const [text, look] =
    state === ChannelState.CONNECTED
      ? ["Connected", "bg-good-soft text-good"]
      : state === ChannelState.RECONNECTION_NEEDED
        ? ["Reconnection needed", "bg-danger-soft text-danger"]
        : ["Not connected", "bg-canvas text-muted"];
  return (
    <span
      className={`inline-flex items-center gap-1.5 rounded-full px-2 py-0.5 text-xs font-medium ${look}`}
    >
      <span className="size-1.5 rounded-full bg-current" />
      {text}
    </span>
  );
}

function ChannelRow({
  channel,
  onEmbed,
  onReconnect,
}: {
  channel: Channel;
  onEmbed: () => void;
  onReconnect: () => void;
}) {
  const { services, inbox, isOwner, canWrite } = useSession();
  const toast = useToast();
  const timeZone = useTimeZone();
  const testing = useAction();
  const isConnected = channel.state === ChannelState.CONNECTED;
  const isWebChat = channel.kind === ChannelKind.WEB_CHAT;
  const since = channel.stateTime ? fullTime(toDate(channel.stateTime), timeZone) : "";

  async function test() {
    try {
      const result = await services.channels.testChannel({ channelId: channel.id });
      const tested = result.channel;
      if (tested) inbox.store.change((state) => withChannel(state, tested));
      toast(
        result.isWorking
          ? { text: `${channel.displayName} works.` }
          : {
              text: `${channel.displayName} does not work: ${result.detail || "no reason given"}`,
              tone: "danger",
            },
      );
    } catch (error) {
      toast({ text: sayError(error), tone: "danger" });
    }
  }

  return (
    <li className="flex flex-wrap items-center gap-x-4 gap-y-3 p-4">
      <ChannelTile kind={channel.kind} />
      <div className="flex min-w-40 flex-1 flex-col gap-0.5">
        <p className="flex flex-wrap items-center gap-x-2 gap-y-1">
          <span className="font-semibold">{channel.displayName}</span>
          <StateBadge state={channel.state} />
        </p>
        <p className="text-sm text-muted">
          {isConnected || channel.stateReason === ""
            ? `${lookOf(channel.kind).name}${since ? ` · since ${since}` : ""}`
            : `${channel.stateReason}${since ? ` · since ${since}` : ""}`}
        </p>
      </div>
      <div className="flex flex-wrap gap-2">
        {isWebChat && <Button onClick={onEmbed}>Put on your site</Button>}
        {canWrite && !isWebChat && (
          <Button isBusy={testing.isBusy} onClick={() => void testing.run(test)}>
            Test
          </Button>
        )}
        {isOwner && !isWebChat && !isConnected && (
          <Button look="primary" onClick={onReconnect}>
            {channel.state === ChannelState.RECONNECTION_NEEDED ? "Reconnect" : "Connect"}
          </Button>
        )}
      </div>
    </li>
  );
}
