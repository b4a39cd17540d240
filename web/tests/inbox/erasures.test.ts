import { create } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { expect, test } from "vitest";
import {
  type Erasure,
  ErasureSchema,
  ErasureState,
} from "../../src/gen/inbox/conversation/v1/privacy_service_pb";
import { type ErasureApi, Erasures, LOOKED_AT_AFTER_MILLIS } from "../../src/inbox/erasures";
import { FakeEnvironment, settle } from "../fake-environment";

/** The service, whose erasure comes as far as the test says. */
class ModelErasure implements ErasureApi {
  state = ErasureState.RUNNING;
  failure: ConnectError | null = null;
  asked = 0;

  #now(): Erasure {
    return create(ErasureSchema, { id: "e", conversationIds: ["c1", "c2"], state: this.state });
  }
  erase = async () => {
    if (this.failure !== null) throw this.failure;
    return this.#now();
  };
  get = async () => {
    this.asked += 1;
    if (this.failure !== null) throw this.failure;
    return this.#now();
  };
}

function watched() {
  const environment = new FakeEnvironment();
  const api = new ModelErasure();
  const erasures = new Erasures(api, {
    wait: (millis) => new Promise((done) => void environment.after(millis, done)),
  });
  return {
    api,
    erasures,
    state: (id: string) => erasures.value.get(id)?.state,
    pass: async (millis = LOOKED_AT_AFTER_MILLIS) => {
      await environment.pass(millis);
      await settle();
    },
  };
}

test("an erasure is watched until it is done, for each of its conversations", async () => {
  const { api, erasures, state, pass } = watched();
  await erasures.begin("ana", "request");
  expect([state("c1"), state("c2")]).toEqual([ErasureState.RUNNING, ErasureState.RUNNING]);

  await pass();
  api.state = ErasureState.DONE;
  await pass();
  await pass();

  expect(state("c2")).toBe(ErasureState.DONE);
  expect(api.asked).toBe(2);
});

test("a service that is away is asked again; one that refuses is not", async () => {
  const { api, erasures, state, pass } = watched();
  await erasures.begin("ana", "request");
  api.failure = new ConnectError("away", Code.Unavailable);
  await pass();
  api.failure = null;
  await pass(5_000);
  expect(api.asked).toBe(2);

  api.failure = new ConnectError("no", Code.PermissionDenied);
  await pass();
  await pass(60_000);

  expect(api.asked).toBe(3);
  expect(state("c1")).toBe(ErasureState.RUNNING);
});

test("a refusal to begin is told, and nothing is watched", async () => {
  const { api, erasures, pass } = watched();
  api.failure = new ConnectError("no", Code.PermissionDenied);

  await expect(erasures.begin("ana", "request")).rejects.toThrow("no");
  await pass();

  expect(api.asked).toBe(0);
});
