"""Answers every customer who writes: python answer_bot.py ADDRESS API_KEY [TEXT].

It may be killed at any time, and run twice: a message's answer has an id made of the message's, so
no customer hears it twice; and it begins with whoever still waits, so nobody is forgotten.
"""

import asyncio
import sys
from uuid import NAMESPACE_URL, uuid5

from inbox.conversation.v1 import ListConversationsRequest
from inbox.messaging.v1 import AUTHOR_KIND_CUSTOMER, Message, MessageCreated
from inbox_client import AsyncInbox, Frame, InboxError, Resync

THANKS = "Thank you, we will look at it right away."
OTHERS_TURN = {"CONVERSATION_IN_AI_MODE", "CONVERSATION_IN_MANUAL_MODE"}


async def main(address: str, api_key: str, text: str = THANKS) -> None:
    """Watch for ever."""
    async with AsyncInbox(address, api_key) as inbox, inbox.watch() as watch:
        async for event in watch:
            match event:
                case Resync():
                    await answer_who_waits(inbox, event.position, text)
                    event.done()
                case Frame(body=MessageCreated(message=message)):
                    await answer(inbox, message, text)


async def answer_who_waits(inbox: AsyncInbox, position: str, text: str) -> None:
    """Nothing is told of what happened until this position: read it."""
    waiting = ListConversationsRequest(unread_only=True, position=position)
    async for conversation in inbox.iterate_conversations(waiting):
        async for newest in inbox.iterate_messages(conversation.id):
            await answer(inbox, newest, text)
            break


async def answer(inbox: AsyncInbox, message: Message, text: str) -> None:
    """Answer a customer's message, once however often this is called."""
    if message.author.kind != AUTHOR_KIND_CUSTOMER:
        return
    answer_id = str(uuid5(NAMESPACE_URL, f"answer-bot:{message.id}"))
    try:
        await inbox.send(message.conversation_id, text, client_message_id=answer_id)
    except InboxError as error:
        if error.reason not in OTHERS_TURN:
            raise


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
