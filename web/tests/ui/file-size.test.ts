import { expect, test } from "vitest";
import { fileSize } from "../../src/ui/file-size";

test.each([
  [0n, "0 B"],
  [999n, "999 B"],
  [1_000n, "1.0 kB"],
  [9_949n, "9.9 kB"],
  [9_950n, "10 kB"],
  [999_499n, "999 kB"],
  [999_500n, "1.0 MB"],
  [16_777_216n, "17 MB"],
  [2_000_000_000n, "2.0 GB"],
])("a file of %d bytes is said to have %s", (sizeBytes, said) => {
  expect(fileSize(sizeBytes)).toBe(said);
});
