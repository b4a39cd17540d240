/** A file of a message: what it is called and how large it is. */

import type { Attachment } from "../../gen/inbox/messaging/v1/attachment_pb";
import { fileSize } from "../../ui/file-size";

interface AttachmentRowProps {
  attachment: Attachment;
}

export function AttachmentRow({ attachment }: AttachmentRowProps) {
  return (
    <span className="flex items-baseline justify-between gap-3">
      <span className="min-w-0 font-medium">{attachment.fileName}</span>
      <span className="shrink-0 text-xs tabular-nums">{fileSize(attachment.sizeBytes)}</span>
    </span>
  );
}
