/** Prints what a first visit loads, compressed, and fails the build when it is more than was promised. */

import { existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { gzipSync } from "node:zlib";

const DIST = resolve(import.meta.dirname, "../dist");
const KB = 1000;
const BUDGETS = [
  { name: "agents' client", page: "index.html", bytes: 200 * KB },
  { name: "chat box", page: "chat.html", bytes: 40 * KB },
  { name: "embed script", page: "embed.js", bytes: 4 * KB },
];

function compressed(file: string): number {
  return gzipSync(readFileSync(resolve(DIST, file)), { level: 9 }).length;
}

/** The page with every script and style it names, and what those import before they run. */
function firstLoad(page: string): Set<string> {
  const files = new Set([page]);
  for (const file of files) {
    if (!/\.(html|js)$/u.test(file)) continue;
    const source = readFileSync(resolve(DIST, file), "utf8");
    const pattern = file.endsWith(".html")
      ? /(?:src|href)="\/(assets\/[^"]+)"/gu
      : /(?:from|import)\s*"\.\/([^"]+)"/gu;
    for (const match of source.matchAll(pattern)) {
      const named = file.endsWith(".html") ? match[1] : `assets/${match[1]}`;
      if (named !== undefined && existsSync(resolve(DIST, named))) files.add(named);
    }
  }
  return files;
}

let isOver = false;
for (const { name, page, bytes } of BUDGETS) {
  let total = 0;
  for (const file of firstLoad(page)) total += compressed(file);
  const verdict = total <= bytes ? "within" : "OVER";
  isOver ||= total > bytes;
  console.log(
    `${name}: ${(total / KB).toFixed(1)} kB gzip, ${verdict} its budget of ${bytes / KB} kB`,
  );
}
if (isOver) process.exit(1);
