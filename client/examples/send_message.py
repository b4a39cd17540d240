"""Sends a text to the newest conversation: python send_message.py ADDRESS API_KEY TEXT."""

import sys

from inbox_client import Inbox


def main(address: str, api_key: str, text: str) -> None:
    """Print the message as it was stored."""
    with Inbox(address, api_key) as inbox:
        newest = next(inbox.iterate_conversations())
        print(inbox.send(newest.id, text))


if __name__ == "__main__":
    main(*sys.argv[1:])
