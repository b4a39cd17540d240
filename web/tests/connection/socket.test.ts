import { describe, expect, test } from "vitest";
import { Backoff } from "../../src/connection/backoff";
import { CloseCode } from "../../src/connection/close-codes";
import {
  CredentialRefused,
  ReconnectingSocket,
  SILENT_AFTER_MILLIS,
  type SocketStatus,
} from "../../src/connection/socket";
import { FakeEnvironment } from "../fake-environment";

function aLine(credential: () => Promise<string> = async () => "ticket") {
  const environment = new FakeEnvironment();
  const statuses: SocketStatus["phase"][] = [];
  const ends: number[] = [];
  const line = new ReconnectingSocket(
    "ws://inbox/ws",
    "inbox.v1.proto",
    {
      credential,
      hello: (ticket) => `hello ${ticket}`,
      message: (data) => {
        if (data === "greeting") line.greeted();
      },
      status: (status) => statuses.push(status.phase),
      ended: () => ends.push(environment.now()),
    },
    environment,
  );
  const connect = async () => {
    await environment.pass(0);
    environment.socket.opens();
    environment.socket.says("greeting");
  };
  return { environment, line, statuses, ends, connect };
}

describe("the back-off", () => {
  test("draws each wait below a ceiling that doubles from 0.25 s to 30 s", () => {
    const backoff = new Backoff(() => 1);
    const waits = Array.from({ length: 10 }, () => backoff.next());
    expect(waits).toEqual([250, 500, 1000, 2000, 4000, 8000, 16000, 30000, 30000, 30000]);
  });

  test("begins again only after a connection that lived for a minute", () => {
    const backoff = new Backoff(() => 1);
    backoff.next();
    backoff.next();
    backoff.wasConnectedFor(59_000);
    expect(backoff.next()).toBe(1000);
    backoff.wasConnectedFor(60_000);
    expect(backoff.next()).toBe(250);
  });

  test("is full jitter", () => {
    expect(new Backoff(() => 0).next()).toBe(0);
    expect(new Backoff(() => 0.5).next()).toBe(125);
  });
});

describe("the line", () => {
  test("says hello with a fresh credential and is live once it was greeted", async () => {
    const { environment, line, statuses, connect } = aLine();
    line.start();
    await connect();
    expect(environment.socket.protocol).toBe("inbox.v1.proto");
    expect(environment.socket.sent).toEqual(["hello ticket"]);
    expect(statuses).toEqual(["connecting", "live"]);
  });

  test.each([1006, 1001, 1011, CloseCode.RESTART, CloseCode.TOO_SLOW])(
    "comes back after code %i",
    async (code) => {
      const { environment, line, connect } = aLine();
      line.start();
      await connect();
      environment.socket.ends(code);
      expect(line.status.phase).toBe("waiting");
      await environment.pass(250);
      expect(environment.sockets).toHaveLength(2);
      await connect();
      expect(line.isLive).toBe(true);
    },
  );

  test.each([CloseCode.MALFORMED, CloseCode.FORBIDDEN, CloseCode.TOO_MANY])(
    "stays away after code %i until a person asks",
    async (code) => {
      const { environment, line, connect } = aLine();
      line.start();
      await connect();
      environment.socket.ends(code);
      await environment.pass(3_600_000);
      expect(environment.sockets).toHaveLength(1);
      expect(line.status).toMatchObject({ phase: "stopped", code });
      line.connectNow();
      await connect();
      expect(line.isLive).toBe(true);
    },
  );

  test("comes back at once with a fresh credential after 4401", async () => {
    let tickets = 0;
    const { environment, line, connect } = aLine(async () => `ticket ${++tickets}`);
    line.start();
    await connect();
    environment.socket.ends(CloseCode.CREDENTIAL_ENDED);
    await environment.pass(0);
    environment.socket.opens();
    expect(environment.socket.sent).toEqual(["hello ticket 2"]);
  });

  test("gives up as signed out when no credential is given any more", async () => {
    const { environment, line } = aLine(async () => {
      throw new CredentialRefused();
    });
    line.start();
    await environment.pass(60_000);
    expect(line.status.phase).toBe("signed-out");
    expect(environment.sockets).toHaveLength(0);
  });

  test("keeps trying while the network is away", async () => {
    let isAway = true;
    const { environment, line } = aLine(async () => {
      if (isAway) throw new TypeError("no network");
      return "ticket";
    });
    line.start();
    await environment.pass(120_000);
    expect(environment.sockets).toHaveLength(0);
    isAway = false;
    await environment.pass(30_000);
    expect(environment.sockets).toHaveLength(1);
  });

  test("tries at once when the network is back", async () => {
    const { environment, line, connect } = aLine();
    line.start();
    await connect();
    environment.nextRandom = 1;
    for (let round = 0; round < 8; round += 1) {
      environment.socket.ends(1006);
      await environment.pass(30_000);
    }
    environment.socket.ends(1006);
    const before = environment.sockets.length;
    line.connectNow();
    await environment.pass(0);
    expect(environment.sockets).toHaveLength(before + 1);
  });

  test("ends a line on which nothing comes any more", async () => {
    const { environment, line, connect } = aLine();
    line.start();
    await connect();
    await environment.pass(SILENT_AFTER_MILLIS - 1);
    expect(line.isLive).toBe(true);
    environment.socket.says("anything");
    await environment.pass(SILENT_AFTER_MILLIS - 1);
    expect(line.isLive).toBe(true);
    await environment.pass(1);
    expect(line.isLive).toBe(false);
    expect(environment.sockets[0]?.closedWith).toBe(CloseCode.SILENT);
  });

  test("does not wait for ever for a greeting", async () => {
    const { environment, line } = aLine();
    line.start();
    await environment.pass(0);
    environment.socket.opens();
    await environment.pass(60_000);
    expect(environment.sockets.length).toBeGreaterThan(1);
  });

  test("leaves when the server announces that it goes, and comes back", async () => {
    const { environment, line, connect } = aLine();
    line.start();
    await connect();
    line.reconnectAfter(400);
    await environment.pass(399);
    expect(line.isLive).toBe(true);
    await environment.pass(1);
    expect(environment.sockets).toHaveLength(2);
  });

  test("hears nothing of a socket it has left", async () => {
    const { environment, line, connect } = aLine();
    line.start();
    await connect();
    const old = environment.socket;
    line.reconnect(CloseCode.CHAIN_BROKEN);
    await environment.pass(250);
    old.says("greeting");
    old.ends(CloseCode.FORBIDDEN);
    expect(line.status.phase).toBe("connecting");
  });

  test("tells since when it is broken, over all its tries", async () => {
    const { environment, line, connect } = aLine();
    line.start();
    await connect();
    const brokenAt = environment.now();
    environment.socket.ends(1006);
    await environment.pass(5_000);
    environment.socket.ends(1006);
    await environment.pass(5_000);
    expect(line.status).toMatchObject({ phase: "connecting", since: brokenAt });
  });

  test("leaves nothing behind when it is stopped", async () => {
    const { environment, line, connect } = aLine();
    line.start();
    await connect();
    line.stop();
    expect(environment.waits).toBe(0);
    expect(environment.socket.closedWith).toBe(CloseCode.LEAVING);
  });
});
