"""Prints every message of every conversation: python export_history.py ADDRESS API_KEY.

One JSON object a line: conversation by conversation, each from its beginning.
"""

import json
import sys

from google.protobuf.json_format import MessageToDict

from inbox.conversation.v1 import Folder, ListConversationsRequest
from inbox_client import Inbox


def main(address: str, api_key: str) -> None:
    """Read folder by folder, page by page; nothing is held but one page."""
    with Inbox(address, api_key) as inbox:
        for folder in Folder.values()[1:]:
            for conversation in inbox.iterate_conversations(
                ListConversationsRequest(folder=folder)
            ):
                for message in inbox.iterate_messages(conversation.id, after_seq=0):
                    print(json.dumps(MessageToDict(message), ensure_ascii=False))


if __name__ == "__main__":
    main(*sys.argv[1:])
