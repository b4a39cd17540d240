/** What the box and the page around it say to each other. */

export type ToBox = { inbox: "shown" } | { inbox: "hidden" };
export type ToPage =
  | { inbox: "close" }
  | { inbox: "unseen"; count: number }
  | { inbox: "accent"; color: string };
