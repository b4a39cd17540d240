/** What stands within a line of Markdown: code, emphasis, links. Everything else is text. */

export type Inline =
  | { kind: "text"; text: string }
  | { kind: "code"; text: string }
  | { kind: "strong" | "emphasis"; children: Inline[] }
  | { kind: "link"; href: string; children: Inline[] };

/** Deeper than anybody writes; beyond it, marks are text. */
const MAX_DEPTH = 6;
const LINK = /!?\[([^[\]]*)\]\(([^()\s]*)(?: +"[^"]*")?\)/uy;
const ADDRESS = /https?:\/\/[^\s<>"'`]+/uy;
const NOT_AT_THE_END = /[.,;:!?)\]}»”’*_]+$/u;
const ESCAPABLE = /[!-/:-@[-`{-~]/u;
const WORD = /[\p{L}\p{N}]/u;

export function inlinesOf(text: string): Inline[] {
  return new Scanner(text, 0).scan();
}

/** Only addresses that a person can mean to follow: nothing that runs, nothing relative to this client. */
export function followable(address: string): string | null {
  return /^(?:https?:\/\/|mailto:|tel:)[^\s]+$/iu.test(address) ? address : null;
}

class Scanner {
  readonly #text: string;
  readonly #depth: number;
  readonly #found: Inline[] = [];
  /** Marks that nothing closes any more: looking for each again would take forever. */
  readonly #unclosed = new Set<string>();
  #plain = "";
  #at = 0;

  constructor(text: string, depth: number) {
    this.#text = text;
    this.#depth = depth;
  }

  scan(): Inline[] {
    while (this.#at < this.#text.length) {
      const isTaken =
        this.#escape() || this.#code() || this.#link() || this.#emphasis() || this.#address();
      if (!isTaken) this.#takePlain(1);
    }
    this.#flush();
    return this.#found;
  }

  #takePlain(length: number): void {
    this.#plain += this.#text.slice(this.#at, this.#at + length);
    this.#at += length;
  }

  #push(inline: Inline, end: number): true {
    this.#flush();
    this.#found.push(inline);
    this.#at = end;
    return true;
  }

  #flush(): void {
    if (this.#plain !== "") this.#found.push({ kind: "text", text: this.#plain });
    this.#plain = "";
  }

  #inner(text: string): Inline[] {
    return new Scanner(text, this.#depth + 1).scan();
  }

  #escape(): boolean {
    const next = this.#text[this.#at + 1] ?? "";
    if (this.#text[this.#at] !== "\\" || !ESCAPABLE.test(next)) return false;
    this.#at += 1;
    this.#takePlain(1);
    return true;
  }

  #code(): boolean {
    if (this.#text[this.#at] !== "`") return false;
    const ticks = this.#run("`");
    const start = this.#at + ticks.length;
    const end = this.#unclosed.has(ticks) ? -1 : this.#text.indexOf(ticks, start);
    if (end <= start) {
      this.#unclosed.add(ticks);
      this.#takePlain(ticks.length);
      return true;
    }
    const text = this.#text.slice(start, end).replaceAll("\n", " ").trim();
    return this.#push({ kind: "code", text }, end + ticks.length);
  }

  #link(): boolean {
    const [whole, words = "", address = ""] = this.#match(LINK);
    if (whole === undefined || this.#depth >= MAX_DEPTH) return false;
    const href = followable(address);
    const shown = words === "" ? address : words;
    if (href === null || whole.startsWith("!")) {
      // A picture is named, not fetched: nothing on this screen asks a stranger's server.
      this.#plain += shown;
      this.#at += whole.length;
      return true;
    }
    return this.#push(
      { kind: "link", href, children: this.#inner(shown) },
      this.#at + whole.length,
    );
  }

  #address(): boolean {
    const [whole] = this.#match(ADDRESS);
    if (whole === undefined) return false;
    const address = whole.replace(NOT_AT_THE_END, "");
    const children: Inline[] = [{ kind: "text", text: address }];
    return this.#push({ kind: "link", href: address, children }, this.#at + address.length);
  }

  #emphasis(): boolean {
    const mark = this.#text[this.#at] ?? "";
    if ((mark !== "*" && mark !== "_") || this.#depth >= MAX_DEPTH) return false;
    const marks = this.#run(mark).slice(0, 2);
    const start = this.#at + marks.length;
    const end = this.#opens(mark, start) ? this.#closing(marks, start) : -1;
    if (end === -1) {
      this.#takePlain(marks.length);
      return true;
    }
    const kind = marks.length === 2 ? "strong" : "emphasis";
    const children = this.#inner(this.#text.slice(start, end));
    return this.#push({ kind, children }, end + marks.length);
  }

  /** Underscores within a word are part of it. */
  #opens(mark: string, start: number): boolean {
    const before = this.#text[this.#at - 1] ?? "";
    return /\S/u.test(this.#text[start] ?? "") && !(mark === "_" && WORD.test(before));
  }

  #closing(marks: string, start: number): number {
    if (this.#unclosed.has(marks)) return -1;
    const mark = marks[0] ?? "";
    let end = this.#text.indexOf(marks, start + 1);
    while (end !== -1) {
      const before = this.#text[end - 1] ?? "";
      const after = this.#text[end + marks.length] ?? "";
      const isWithinWord = mark === "_" && WORD.test(after);
      const isLonger = marks.length === 1 && (before === mark || after === mark);
      if (/\S/u.test(before) && !isWithinWord && !isLonger) return end;
      end = this.#text.indexOf(marks, end + 1);
    }
    this.#unclosed.add(marks);
    return -1;
  }

  #run(mark: string): string {
    let end = this.#at;
    while (this.#text[end] === mark) end += 1;
    return this.#text.slice(this.#at, end);
  }

  #match(pattern: RegExp): string[] {
    pattern.lastIndex = this.#at;
    return [...(pattern.exec(this.#text) ?? [])];
  }
}
