/** Light, dark, or as the system has it. `before-paint.js` applies the stored choice before the first paint. */

import { useState } from "react";

export type Theme = "system" | "light" | "dark";

const KEY = "inbox.theme";

function stored(): Theme {
  const chosen = document.documentElement.dataset.theme;
  return chosen === "light" || chosen === "dark" ? chosen : "system";
}

function apply(theme: Theme): void {
  if (theme === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  try {
    localStorage.setItem(KEY, theme);
  } catch {
    // Forbidden: the choice lasts until the page is closed.
  }
}

export function useTheme(): [Theme, (theme: Theme) => void] {
  const [theme, setTheme] = useState(stored);
  return [
    theme,
    (next) => {
      apply(next);
      setTheme(next);
    },
  ];
}
