/** Builds the agents' client (index.html) and the customers' chat box (chat.html). */

import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import tailwindcss from "@tailwindcss/vite";
import react from "@vitejs/plugin-react";
import { defineConfig, type Plugin } from "vite";

const root = import.meta.dirname;
const gateway = process.env.INBOX_GATEWAY ?? "http://localhost:8080";

/** The chosen theme has to be there before the first paint, so it cannot wait for a module. */
function themeBeforePaint(): Plugin {
  const source = readFileSync(resolve(root, "src/theme/before-paint.js"), "utf8");
  const hash = createHash("sha256").update(source).digest("hex").slice(0, 8);
  const fileName = `assets/before-paint-${hash}.js`;
  return {
    name: "theme-before-paint",
    apply: "build",
    generateBundle() {
      this.emitFile({ type: "asset", fileName, source });
    },
    transformIndexHtml: {
      order: "post",
      handler(html, context) {
        if (!context.filename.endsWith("index.html")) return html;
        return {
          html,
          tags: [{ tag: "script", attrs: { src: `/${fileName}` }, injectTo: "head-prepend" }],
        };
      },
    },
  };
}

const proxied = ["/auth", "/ws", "/inbox.", "/healthz", "/readyz", "/simulator"];

export default defineConfig({
  plugins: [react(), tailwindcss(), themeBeforePaint()],
  build: {
    target: ["chrome123", "edge123", "firefox124", "safari17.5"],
    modulePreload: { polyfill: false },
    rolldownOptions: {
      input: { index: resolve(root, "index.html"), chat: resolve(root, "chat.html") },
    },
  },
  server: {
    proxy: Object.fromEntries(proxied.map((path) => [path, { target: gateway, ws: true }])),
  },
  // Rules checked with hundreds of cases need seconds of a processor, and it may be busy.
  test: { include: ["tests/**/*.test.ts"], environment: "node", testTimeout: 60_000 },
} as Parameters<typeof defineConfig>[0]);
