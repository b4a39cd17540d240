import { create } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import { lengthLeft } from "../../src/features/composer/length";
import { failureWords, progressOf } from "../../src/features/thread/delivery-words";
import { ChannelCapabilitiesSchema, LengthUnit } from "../../src/gen/inbox/messaging/v1/channel_pb";
import {
  DeliveryFailureSchema,
  DeliveryStatus,
  FailureReason,
} from "../../src/gen/inbox/messaging/v1/message_pb";

function allOf<E extends Record<string, string | number>>(values: E): number[] {
  return Object.values(values).filter((value) => typeof value === "number");
}

describe("delivery", () => {
  test("is one of the five states a person knows", () => {
    expect(progressOf(DeliveryStatus.UNSPECIFIED)).toBeNull();
    expect(progressOf(DeliveryStatus.QUEUED)).toBe("sending");
    expect(progressOf(DeliveryStatus.UNKNOWN)).toBe("sending");
    expect(progressOf(DeliveryStatus.SENT)).toBe("sent");
    expect(progressOf(DeliveryStatus.DELIVERED)).toBe("delivered");
    expect(progressOf(DeliveryStatus.READ)).toBe("read");
    expect(progressOf(DeliveryStatus.PRESUMED_FAILED)).toBe("failed");
    expect(progressOf(DeliveryStatus.REPORTED_FAILED)).toBe("failed");
  });

  test.each(allOf(FailureReason) as FailureReason[])(
    "failure %i has words of its own",
    (reason) => {
      const words = failureWords(create(DeliveryFailureSchema, { reason, isRetryable: true }));
      expect(words.text.length).toBeGreaterThan(10);
      expect(words.canRetry).toBe(true);
    },
  );

  test("warns before Retry when the message may have arrived", () => {
    const failure = create(DeliveryFailureSchema, {
      reason: FailureReason.NO_ANSWER,
      isRetryable: true,
      mayHaveArrived: true,
    });
    expect(failureWords(failure).warning).toContain("twice");
  });

  test("offers no Retry where it cannot help, and points to the channel where that can", () => {
    const blocked = create(DeliveryFailureSchema, { reason: FailureReason.RECIPIENT_UNAVAILABLE });
    expect(failureWords(blocked).canRetry).toBe(false);
    const expired = create(DeliveryFailureSchema, {
      reason: FailureReason.CHANNEL_NEEDS_RECONNECTION,
      isRetryable: true,
    });
    expect(failureWords(expired).pointsToChannel).toBe(true);
  });
});

describe("the length that is left", () => {
  const characters = create(ChannelCapabilitiesSchema, {
    maxTextLength: 4096,
    textLengthUnit: LengthUnit.CHARACTERS,
  });
  const bytes = create(ChannelCapabilitiesSchema, {
    maxTextLength: 1000,
    textLengthUnit: LengthUnit.BYTES,
  });

  test("is shown only near the limit", () => {
    expect(lengthLeft("hola", characters)).toBeNull();
    expect(lengthLeft("x".repeat(3000), characters)).toBeNull();
    expect(lengthLeft("x".repeat(4000), characters)).toBe(96);
    expect(lengthLeft("x".repeat(4100), characters)).toBe(-4);
  });

  test("counts what the channel counts", () => {
    expect(lengthLeft("é".repeat(490), bytes)).toBe(20);
    expect(lengthLeft("😀".repeat(4090), characters)).toBe(6);
  });
});
