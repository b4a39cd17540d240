/** How each kind of channel is named and drawn. */

import type { ComponentType } from "react";
import { ChannelKind } from "../gen/inbox/messaging/v1/channel_pb";
import {
  BoltIcon,
  CameraIcon,
  ChatIcon,
  FlaskIcon,
  type IconProps,
  PhoneIcon,
  PlaneIcon,
} from "../ui/icons";

interface Look {
  name: string;
  icon: ComponentType<IconProps>;
  color: string;
}

export function lookOf(kind: ChannelKind): Look {
  switch (kind) {
    case ChannelKind.SIMULATOR:
      return { name: "Simulator", icon: FlaskIcon, color: "#7a4fd0" };
    case ChannelKind.WHATSAPP:
      return { name: "WhatsApp", icon: PhoneIcon, color: "#14833f" };
    case ChannelKind.MESSENGER:
      return { name: "Messenger", icon: BoltIcon, color: "#0b6fd6" };
    case ChannelKind.INSTAGRAM:
      return { name: "Instagram", icon: CameraIcon, color: "#c22e6d" };
    case ChannelKind.TELEGRAM:
      return { name: "Telegram", icon: PlaneIcon, color: "#1b81b4" };
    // A kind that is newer than this client is shown as a chat.
    case ChannelKind.WEB_CHAT:
    case ChannelKind.UNSPECIFIED:
      return { name: "Web chat", icon: ChatIcon, color: "#2360e8" };
    default:
      return kind satisfies never;
  }
}

/** The small round badge at an avatar's corner. */
export function ChannelBadge({ kind }: { kind: ChannelKind }) {
  const { icon: Icon, color } = lookOf(kind);
  return (
    <span
      className="absolute -right-1 -bottom-1 grid size-[1.125rem] place-items-center rounded-full text-accent-ink ring-2 ring-(--badge-ring,var(--surface))"
      style={{ backgroundColor: color }}
    >
      <Icon className="size-2.5" />
    </span>
  );
}

/** A small round mark in a line of text. */
export function ChannelIcon({ kind }: { kind: ChannelKind }) {
  const { icon: Icon, color, name } = lookOf(kind);
  return (
    <span
      title={name}
      className="grid size-7 shrink-0 place-items-center rounded-full text-accent-ink"
      style={{ backgroundColor: color }}
    >
      <span className="sr-only">{name}</span>
      <Icon className="size-4" />
    </span>
  );
}

/** Its square on the channels page. */
export function ChannelTile({ kind }: { kind: ChannelKind }) {
  const { icon: Icon, color } = lookOf(kind);
  return (
    <span
      aria-hidden="true"
      className="grid size-10 shrink-0 place-items-center rounded-xl text-accent-ink"
      style={{ backgroundColor: color }}
    >
      <Icon />
    </span>
  );
}
