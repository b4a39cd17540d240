/** What the list says of the newest message: its words, or else what kind of file it carries. */

import type { Preview } from "../gen/inbox/conversation/v1/conversation_pb";
import { AttachmentKind } from "../gen/inbox/messaging/v1/attachment_pb";

const FILES: Record<AttachmentKind, string> = {
  [AttachmentKind.UNSPECIFIED]: "",
  [AttachmentKind.IMAGE]: "Photo",
  [AttachmentKind.VIDEO]: "Video",
  [AttachmentKind.AUDIO]: "Audio",
  [AttachmentKind.VOICE]: "Voice message",
  [AttachmentKind.DOCUMENT]: "Document",
  [AttachmentKind.STICKER]: "Sticker",
};

export function previewWords(preview: Preview | null | undefined): string {
  if (!preview) return "";
  return preview.text || FILES[preview.attachmentKind];
}
