/** Tells in the conversation that its channel is broken, and what happens to replies meanwhile. */

import { ChannelState } from "../../gen/inbox/messaging/v1/channel_pb";
import { AlertIcon } from "../../ui/icons";
import { Banner } from "../../ui/notice";
import { useInbox } from "../session";

export function ChannelBanner({
  channelId,
  onChannels,
}: {
  channelId: string;
  onChannels: () => void;
}) {
  const channel = useInbox((snapshot) => snapshot.state.channels.get(channelId));
  const state = channel?.state ?? ChannelState.CONNECTED;
  if (
    channel === undefined ||
    state === ChannelState.CONNECTED ||
    state === ChannelState.UNSPECIFIED
  ) {
    return null;
  }
  const isExpired = state === ChannelState.RECONNECTION_NEEDED;
  return (
    <Banner
      isLive
      tone={isExpired ? "danger" : "warn"}
      icon={<AlertIcon className="size-4.5" />}
      action={
        <button
          type="button"
          className="min-h-8 rounded-md font-semibold underline-offset-2 hover:underline max-md:min-h-11"
          onClick={onChannels}
        >
          Open channels
        </button>
      }
    >
      {isExpired
        ? `Reconnection needed: ${channel.displayName}. Replies wait and go out in order.`
        : `${channel.displayName} is not connected. Replies cannot be sent.`}
    </Banner>
  );
}
