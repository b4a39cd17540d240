import { create, fromBinary, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import { CloseCode } from "../../src/connection/close-codes";
import { LineBroken, LiveConnection, SendRefused } from "../../src/connection/live";
import { Reason } from "../../src/gen/inbox/error/v1/reason_pb";
import { SendMessageRequestSchema } from "../../src/gen/inbox/messaging/v1/messaging_service_pb";
import {
  type ClientFrame,
  ClientFrameSchema,
  type ServerFrame,
  ServerFrameSchema,
} from "../../src/gen/inbox/realtime/v1/frame_pb";
import { FakeEnvironment, type FakeSocket, settle } from "../fake-environment";

function aConnection() {
  const environment = new FakeEnvironment();
  const frames: ServerFrame[] = [];
  const snapshots: string[] = [];
  let opened = 0;
  const live = new LiveConnection(
    "ws://inbox/ws",
    {
      ticket: async () => "it_1",
      frame: (frame) => frames.push(frame),
      snapshotNeeded: (position) => snapshots.push(position),
      status: () => {},
    },
    environment,
  );
  const connect = async (hello: { isResumed: boolean; position?: string }) => {
    const before = opened;
    while (environment.sockets.length === before) await environment.pass(250);
    opened = environment.sockets.length;
    environment.socket.opens();
    say(environment.socket, {
      position: hello.position ?? "",
      body: { case: "hello", value: { isResumed: hello.isResumed } },
    });
    await settle();
  };
  return { environment, live, frames, connect, snapshots };
}

function say(socket: FakeSocket, frame: MessageInitShape<typeof ServerFrameSchema>): void {
  const bytes = toBinary(ServerFrameSchema, create(ServerFrameSchema, frame));
  socket.says(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
}

function idle(previous: string, position: string): MessageInitShape<typeof ServerFrameSchema> {
  return { previous, position, body: { case: "idle", value: {} } };
}

function said(socket: FakeSocket): ClientFrame[] {
  return socket.sent.map((data) => fromBinary(ClientFrameSchema, data as Uint8Array));
}

describe("resuming", () => {
  test("begins with a snapshot and an empty position", async () => {
    const { environment, live, connect, snapshots } = aConnection();
    live.start();
    await connect({ isResumed: false, position: "p0" });
    expect(said(environment.socket)[0]?.body).toMatchObject({
      case: "hello",
      value: { ticket: "it_1", position: "" },
    });
    expect(snapshots).toEqual(["p0"]);
    expect(live.position).toBe("p0");
  });

  test("asks for what came after the last frame, and needs no snapshot then", async () => {
    const { environment, live, frames, connect, snapshots } = aConnection();
    live.start();
    await connect({ isResumed: false, position: "p0" });
    say(environment.socket, idle("p0", "p1"));
    environment.socket.ends(1006);
    await connect({ isResumed: true });
    expect(said(environment.socket)[0]?.body.value).toMatchObject({ position: "p1" });
    say(environment.socket, idle("p1", "p2"));
    expect(frames).toHaveLength(2);
    expect(snapshots).toEqual(["p0"]);
    expect(live.position).toBe("p2");
  });

  test("loads a snapshot when the position cannot be resumed", async () => {
    const { environment, live, connect, snapshots } = aConnection();
    live.start();
    await connect({ isResumed: false, position: "p0" });
    say(environment.socket, { position: "q7", body: { case: "resyncRequired", value: {} } });
    expect(snapshots).toEqual(["p0", "q7"]);
    say(environment.socket, idle("q7", "q8"));
    expect(live.position).toBe("q8");
  });

  test("loads one snapshot when the greeting and a frame both say so", async () => {
    const { environment, live, connect, snapshots } = aConnection();
    live.start();
    await connect({ isResumed: false, position: "p0" });
    environment.socket.ends(1006);
    await connect({ isResumed: false, position: "q1" });
    say(environment.socket, { position: "q1", body: { case: "resyncRequired", value: {} } });
    expect(snapshots).toEqual(["p0", "q1"]);
    say(environment.socket, idle("q1", "q2"));
    say(environment.socket, { position: "q2", body: { case: "resyncRequired", value: {} } });
    expect(snapshots).toEqual(["p0", "q1", "q2"]);
  });

  test("takes a position from the first frame when the greeting had none", async () => {
    const { environment, live, frames, connect } = aConnection();
    live.start();
    await connect({ isResumed: false });
    say(environment.socket, idle("p4", "p5"));
    expect(frames).toHaveLength(1);
    expect(live.position).toBe("p5");
  });
});

describe("the chain", () => {
  test("a frame that does not follow is never applied; the line comes back and resumes", async () => {
    const { environment, live, frames, connect } = aConnection();
    live.start();
    await connect({ isResumed: false, position: "p0" });
    say(environment.socket, idle("p1", "p2"));
    expect(frames).toHaveLength(0);
    expect(environment.sockets[0]?.closedWith).toBe(CloseCode.CHAIN_BROKEN);
    await connect({ isResumed: true });
    expect(said(environment.socket)[0]?.body.value).toMatchObject({ position: "p0" });
  });

  test("the same hole twice is healed by a snapshot instead of a loop", async () => {
    const { environment, live, connect, snapshots } = aConnection();
    live.start();
    await connect({ isResumed: false, position: "p0" });
    say(environment.socket, idle("p1", "p2"));
    await connect({ isResumed: true });
    say(environment.socket, idle("p1", "p2"));
    await connect({ isResumed: false, position: "p2" });
    expect(said(environment.socket)[0]?.body.value).toMatchObject({ position: "" });
    expect(snapshots).toEqual(["p0", "p2"]);
  });

  test("a repeat of the last frame is dropped", async () => {
    const { environment, live, frames, connect } = aConnection();
    live.start();
    await connect({ isResumed: false, position: "p0" });
    say(environment.socket, idle("p0", "p1"));
    say(environment.socket, idle("p0", "p1"));
    expect(frames).toHaveLength(1);
    expect(live.status.phase).toBe("live");
  });

  test("frames without a position do not touch it", async () => {
    const { environment, live, frames, connect } = aConnection();
    live.start();
    await connect({ isResumed: false, position: "p0" });
    say(environment.socket, { body: { case: "customerTyping", value: { conversationId: "c" } } });
    expect(frames).toHaveLength(1);
    expect(live.position).toBe("p0");
  });

  test("holds through 500 random cuts: every frame is applied once, in order", async () => {
    const { environment, live, frames, connect } = aConnection();
    let seed = 7;
    const random = () => {
      seed = (seed * 48271) % 2147483647;
      return seed / 2147483647;
    };
    live.start();
    await connect({ isResumed: false, position: "0" });
    let written = 0;
    for (let cut = 0; cut < 500; cut += 1) {
      const batch = Math.floor(random() * 4);
      for (let n = 0; n < batch; n += 1) {
        written += 1;
        // Some are lost on the way when the line is cut.
        if (random() < 0.8) say(environment.socket, idle(String(written - 1), String(written)));
      }
      environment.socket.ends(1006);
      await connect({ isResumed: true });
      // The other side replays what came after our position, some of it twice.
      const from = Number(live.position);
      for (let n = from + 1; n <= written; n += 1) {
        say(environment.socket, idle(String(n - 1), String(n)));
        if (random() < 0.1) say(environment.socket, idle(String(n - 1), String(n)));
      }
      environment.nextRandom = random();
    }
    const positions = frames.map((frame) => Number(frame.position));
    expect(positions).toEqual(Array.from({ length: written }, (_, index) => index + 1));
  });
});

describe("sending over the line", () => {
  const request = create(SendMessageRequestSchema, { conversationId: "c", text: "hola" });

  test("resolves with the stored message of its own answer", async () => {
    const { environment, live, connect } = aConnection();
    live.start();
    await connect({ isResumed: false });
    const first = live.sendMessage(request);
    const second = live.sendMessage(request);
    const refs = said(environment.socket)
      .slice(1)
      .map((frame) => frame.ref);
    const answer = (ref: bigint | undefined, id: string) =>
      say(environment.socket, {
        body: {
          case: "ack",
          value: { ref, outcome: { case: "sent", value: { message: { id } } } },
        },
      });
    answer(refs[1], "m2");
    answer(refs[0], "m1");
    expect((await first).message?.id).toBe("m1");
    expect((await second).message?.id).toBe("m2");
  });

  test("rejects with the reason when it is refused", async () => {
    const { environment, live, connect } = aConnection();
    live.start();
    await connect({ isResumed: false });
    const sending = live.sendMessage(request);
    say(environment.socket, {
      body: {
        case: "ack",
        value: {
          ref: 1n,
          outcome: {
            case: "error",
            value: { reason: Reason.CONVERSATION_IN_AI_MODE, message: "no" },
          },
        },
      },
    });
    await expect(sending).rejects.toBeInstanceOf(SendRefused);
  });

  test("is undecided when the line breaks or no answer comes in time", async () => {
    const { environment, live, connect } = aConnection();
    live.start();
    await expect(live.sendMessage(request)).rejects.toBeInstanceOf(LineBroken);
    await connect({ isResumed: false });
    const broken = live.sendMessage(request);
    environment.socket.ends(1006);
    await expect(broken).rejects.toBeInstanceOf(LineBroken);
    await connect({ isResumed: true });
    const unanswered = live.sendMessage(request);
    const outcome = expect(unanswered).rejects.toBeInstanceOf(LineBroken);
    await environment.pass(12_000);
    await outcome;
  });
});

test("the credential is renewed in band when its end is announced", async () => {
  const { environment, live, connect } = aConnection();
  live.start();
  await connect({ isResumed: false });
  say(environment.socket, { body: { case: "tokenExpiring", value: {} } });
  await settle();
  expect(said(environment.socket).at(-1)?.body).toMatchObject({
    case: "tokenRefresh",
    value: { ticket: "it_1" },
  });
});
