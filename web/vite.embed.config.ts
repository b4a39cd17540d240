/** Builds embed.js: one classic script under a fixed name, because other people's pages point at it. */

import { resolve } from "node:path";
import { defineConfig } from "vite";

export default defineConfig({
  build: {
    target: ["chrome100", "firefox100", "safari15"],
    emptyOutDir: false,
    lib: {
      entry: resolve(import.meta.dirname, "src/chat/embed.ts"),
      name: "InboxChat",
      formats: ["iife"],
      fileName: () => "embed.js",
    },
  },
});
