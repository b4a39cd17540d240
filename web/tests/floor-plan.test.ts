/** Who may import whom: connection/ and inbox/ know no React, features do not know each other, ui/ knows no domain. */

import { readdirSync, readFileSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { expect, test } from "vitest";

const SRC = resolve(import.meta.dirname, "../src");
const LONGEST_FILE = 400;

interface Source {
  readonly file: string;
  readonly text: string;
  readonly imports: readonly string[];
}

const sources: Source[] = readdirSync(SRC, { recursive: true, encoding: "utf8" })
  .filter((file) => /\.tsx?$/u.test(file) && !file.startsWith("gen/"))
  .map((file) => {
    const text = readFileSync(join(SRC, file), "utf8");
    const imports = [...text.matchAll(/(?:from|import\()\s*"([^"]+)"/gu)].map(([, name = ""]) =>
      name.startsWith(".") ? relative(SRC, resolve(SRC, file, "..", name)) : name,
    );
    return { file, text, imports };
  });

function offenders(folder: RegExp, isForbidden: (name: string, file: string) => boolean): string[] {
  return sources
    .filter(({ file }) => folder.test(file))
    .flatMap(({ file, imports }) =>
      imports.filter((name) => isForbidden(name, file)).map((name) => `${file} → ${name}`),
    );
}

test("connection/ and inbox/ know no React", () => {
  const isReact = (name: string) => /^(react|@base-ui)/u.test(name);
  expect(offenders(/^(connection|inbox)\//u, isReact)).toEqual([]);
});

test("connection/ stands on nothing but the contracts", () => {
  const isAbove = (name: string) => /^(inbox|features|ui|app|chat)\//u.test(name);
  expect(offenders(/^connection\//u, isAbove)).toEqual([]);
});

test("inbox/ stands on connection/ and the contracts", () => {
  expect(offenders(/^inbox\//u, (name) => /^(features|ui|app|chat)\//u.test(name))).toEqual([]);
});

test("features do not import each other, nor the app", () => {
  const roomOf = (path: string) => /^features\/([^/]+)\//u.exec(path)?.[1];
  const isForeign = (name: string, file: string) =>
    /^(app|chat)\//u.test(name) || (roomOf(name) !== undefined && roomOf(name) !== roomOf(file));
  expect(offenders(/^features\//u, isForeign)).toEqual([]);
});

test("ui/ knows no domain word", () => {
  expect(
    offenders(/^ui\//u, (name) => /^(gen|connection|inbox|features|app|chat)\//u.test(name)),
  ).toEqual([]);
});

test("the chat box has no React and no protobuf runtime", () => {
  const isHeavy = (name: string) =>
    /^(react|@base-ui|@bufbuild|@connectrpc)/u.test(name) || /^(app|features|inbox)\//u.test(name);
  expect(offenders(/^chat\//u, isHeavy)).toEqual([]);
});

test("nobody's words become markup", () => {
  const pattern = /dangerouslySetInnerHTML|innerHTML|outerHTML|insertAdjacentHTML|document\.write/u;
  expect(sources.filter(({ text }) => pattern.test(text)).map(({ file }) => file)).toEqual([]);
});

test("no file is longer than 400 lines, and each says what it is for", () => {
  expect(
    sources.filter(({ text }) => text.split("\n").length > LONGEST_FILE).map((s) => s.file),
  ).toEqual([]);
  expect(sources.filter(({ text }) => !text.startsWith("/**")).map((s) => s.file)).toEqual([]);
});
