/** Starts the agents' client. */

import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { ToastProvider } from "../ui/toast";
import { App } from "./app";

const root = document.getElementById("root");
if (root === null) throw new Error("the page has no root element");
createRoot(root).render(
  <StrictMode>
    <ToastProvider>
      <App />
    </ToastProvider>
  </StrictMode>,
);
