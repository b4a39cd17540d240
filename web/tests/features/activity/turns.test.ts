import { create } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { Turns } from "../../../src/features/activity/turns";
import { type Turn, TurnSchema } from "../../../src/gen/inbox/assistant/v1/assistant_pb";
import { ServerFrameSchema } from "../../../src/gen/inbox/realtime/v1/frame_pb";

function turn(second: number, conversationId = "c"): Turn {
  return create(TurnSchema, {
    id: `t${second}`,
    conversationId,
    endTime: { seconds: BigInt(second) },
  });
}

function told(turn: Turn) {
  return create(ServerFrameSchema, { body: { case: "turnEnded", value: { turn } } });
}

/** The service, with two turns on a page. */
function listing(all: readonly Turn[]) {
  return async (pageToken: string) => {
    const start = Number(pageToken || "0");
    const turns = all.slice(start, start + 2);
    return { turns, nextPageToken: start + 2 < all.length ? String(start + 2) : "" };
  };
}

const ids = (turns: Turns) => turns.value.turns?.map(({ id }) => id);

test("turns come page by page, and those that end meanwhile above them, each once", async () => {
  const all = [turn(4), turn(3), turn(2)];
  const turns = new Turns("", listing(all));
  await turns.load();
  expect(ids(turns)).toEqual(["t4", "t3"]);

  turns.receive(told(turn(5)));
  turns.receive(told(turn(4)));
  await turns.more();
  await turns.more();

  expect(ids(turns)).toEqual(["t5", "t4", "t3", "t2"]);
  expect(turns.value.nextPageToken).toBe("");
});

test("a turn that ends while the first page is under way is not lost", async () => {
  let answer = (_: { turns: Turn[]; nextPageToken: string }) => {};
  const turns = new Turns("", () => new Promise((done) => (answer = done)));
  const loading = turns.load();

  turns.receive(told(turn(2)));
  answer({ turns: [turn(1)], nextPageToken: "" });
  await loading;

  expect(ids(turns)).toEqual(["t2", "t1"]);
});

test("of one conversation, only its own are shown", async () => {
  const turns = new Turns("c", listing([]));
  await turns.load();

  turns.receive(told(turn(1, "another")));
  turns.receive(told(turn(2, "c")));

  expect(ids(turns)).toEqual(["t2"]);
});
