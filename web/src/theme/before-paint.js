// Runs before the first paint: a theme that was chosen must not flash in after the system's.
try {
  const theme = localStorage.getItem("inbox.theme");
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
} catch {
  // Storage is forbidden: follow the system.
}
