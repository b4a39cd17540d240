/** Fails when src/gen is not what protos/ make today; lists the stale files. */

import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

const root = resolve(import.meta.dirname, "..");
const fresh = mkdtempSync(join(tmpdir(), "inbox-gen-"));
try {
  execFileSync(resolve(root, "node_modules/.bin/buf"), ["generate", "--output", fresh], {
    cwd: root,
    stdio: "inherit",
  });
  const list = (directory: string) =>
    existsSync(directory)
      ? readdirSync(directory, { recursive: true, encoding: "utf8" }).filter((f) =>
          f.endsWith(".ts"),
        )
      : [];
  const made = join(fresh, "src/gen");
  const kept = join(root, "src/gen");
  const all = new Set([...list(made), ...list(kept)]);
  const isSame = (file: string) =>
    existsSync(join(made, file)) &&
    existsSync(join(kept, file)) &&
    readFileSync(join(made, file)).equals(readFileSync(join(kept, file)));
  const stale = [...all].filter((file) => !isSame(file)).sort();
  for (const file of stale) console.error(`stale: src/gen/${file}`);
  if (stale.length > 0) {
    console.error("Run: npm run generate");
    process.exitCode = 1;
  }
} finally {
  rmSync(fresh, { recursive: true });
}
