/** An inbox that talks to the model of the services, over a line that a test may cut. */

import { Folder } from "../../src/gen/inbox/conversation/v1/conversation_pb";
import { Inbox } from "../../src/inbox/inbox";
import { listQuery } from "../../src/inbox/list-query";
import { ConversationViews, threadMessages } from "../../src/inbox/views";
import { ModelServices } from "./model";

export function anInbox() {
  const seen: string[] = [];
  const failures: unknown[] = [];
  let isConnected = true;
  const missed: Parameters<Inbox["receive"]>[0][] = [];
  const services = new ModelServices((frame) => {
    if (isConnected) inbox.receive(frame);
    else missed.push(frame);
  });
  const waits: (() => void)[] = [];
  const inbox = new Inbox(
    services,
    { now: () => 0, wait: () => new Promise((done) => waits.push(done)) },
    { outboundSeen: (id) => seen.push(id), failed: (error) => failures.push(error) },
  );
  const views = new ConversationViews();
  return {
    inbox,
    services,
    seen,
    failures,
    waits,
    cut: () => {
      isConnected = false;
    },
    /** The line is back, but what was missed is gone for good. */
    heal: () => {
      isConnected = true;
      missed.length = 0;
    },
    list: (query = listQuery(Folder.OPEN)) =>
      views.list(inbox.store.snapshot.state, inbox.store.snapshot.pending, query).map((c) => c.id),
    view: (id: string) => views.one(inbox.store.snapshot.state, inbox.store.snapshot.pending, id),
    texts: (id: string) => threadMessages(inbox.store.snapshot.state, id)?.map((m) => m.text),
  };
}
